#include "study/plan.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <regex>
#include <set>
#include <string_view>

#include "fixtune/core/error.h"
#include "fixtune/quant/recipe.h"

namespace fixtune::study {
namespace {

/// Options of finetune that the study gives itself.
constexpr std::array<std::string_view, 11> own_options = {"model", "task",   "data",   "eval-data", "recipe", "seed",
                                                          "out",   "resume", "json", "checkpoint-every", "keep"};

void check_fields(const Json& object, const std::vector<std::string>& known, const std::string& where) {
  if (!object.is_object()) fail("{}: must be an object", where);
  for (const auto& [field, value] : object.items())
    if (std::find(known.begin(), known.end(), field) == known.end())
      fail("{}: unknown field \"{}\" (known: {})", where, field, fmt::join(known, ", "));
}

std::string text_field(const Json& object, const char* field, const std::string& where) {
  if (!object.contains(field)) return "";
  if (!object.at(field).is_string()) fail("{}.{}: must be a string", where, field);
  return object.at(field).get<std::string>();
}

std::vector<std::string> names(const Json& group, const char* field, const std::string& where) {
  if (!group.contains(field) || !group.at(field).is_array() || group.at(field).empty())
    fail("{}.{}: must be a list of names", where, field);
  std::vector<std::string> list;
  for (const Json& entry : group.at(field)) {
    if (!entry.is_string() || entry.get<std::string>().find('/') != std::string::npos)
      fail("{}.{}: {} is not a name", where, field, entry.dump());
    list.push_back(entry.get<std::string>());
  }
  return list;
}

std::vector<std::uint64_t> seeds(const Json& group, const std::string& where) {
  if (!group.contains("seeds") || !group.at("seeds").is_array() || group.at("seeds").empty())
    fail("{}.seeds: must be a list of whole numbers", where);
  std::vector<std::uint64_t> list;
  for (const Json& entry : group.at("seeds")) {
    if (!entry.is_number_unsigned()) fail("{}.seeds: {} is not a whole number", where, entry.dump());
    list.push_back(entry.get<std::uint64_t>());
  }
  return list;
}

Json options(const Json& object, const std::string& where) {
  if (!object.contains("options")) return Json::object();
  const Json& given = object.at("options");
  if (!given.is_object()) fail("{}.options: must be an object", where);
  for (const auto& [option, value] : given.items()) {
    if (std::find(own_options.begin(), own_options.end(), option) != own_options.end())
      fail("{}.options: --{} is the study's to give", where, option);
    if (!value.is_number() && !value.is_string() && !value.is_boolean())
      fail("{}.options.{}: must be a number, a string, true or false", where, option);
  }
  return given;
}

std::vector<StudyTask> read_tasks(const Json& object, const std::string& where) {
  if (!object.is_object()) fail("{}: must be an object", where);
  std::vector<StudyTask> tasks;
  for (const auto& [name, task] : object.items()) {
    const std::string here = where + "." + name;
    check_fields(task, {"data", "eval-data", "note", "options"}, here);
    tasks.push_back({name, text_field(task, "data", here), text_field(task, "eval-data", here),
                     text_field(task, "note", here), options(task, here)});
    if (tasks.back().data.empty()) fail("{}.data: is missing", here);
  }
  return tasks;
}

/// The runs of a group, each checked against the plan's tasks and recipes.
class Expansion {
 public:
  explicit Expansion(StudyPlan& plan) : plan_(plan) {}

  void add(const Json& group, const std::string& where) {
    check_fields(group, {"models", "tasks", "recipes", "seeds", "options"}, where);
    const Json given = options(group, where);
    for (const std::string& model : names(group, "models", where))
      for (const std::uint64_t seed : seeds(group, where))
        for (const std::string& task : names(group, "tasks", where))
          for (const std::string& recipe : names(group, "recipes", where))
            add(StudyRun{model, task, recipe, seed, task_options(task, where)}, given, where);
  }

 private:
  const Json& task_options(const std::string& name, const std::string& where) const {
    for (const StudyTask& task : plan_.tasks)
      if (task.name == name) return task.options;
    fail("{}: task \"{}\" is not among the file's tasks", where, name);
  }

  void add(StudyRun run, const Json& group_options, const std::string& where) {
    if (!plan_.recipes.contains(run.recipe)) preset(run.recipe);
    run.options.update(group_options);
    const auto [place, is_new] = places_.emplace(run.name(), plan_.runs.size());
    if (is_new)
      plan_.runs.push_back(std::move(run));
    else if (!same_identity(plan_.identity(plan_.runs[place->second]), plan_.identity(run)))
      fail("{}: {} is there twice, with other options", where, run.name());
  }

  StudyPlan& plan_;
  std::map<std::string, std::size_t> places_;
};

}  // namespace

std::string StudyRun::name() const { return fmt::format("{}-{}-{}-{}", task, recipe, seed, model); }

const StudyTask& StudyPlan::task_of(const StudyRun& run) const {
  return *std::find_if(tasks.begin(), tasks.end(), [&](const StudyTask& task) { return task.name == run.task; });
}

Json StudyPlan::identity(const StudyRun& run) const {
  Json object{{"model", run.model},
              {"task", run.task},
              {"recipe", run.recipe},
              {"seed", run.seed},
              {"options", run.options}};
  if (recipes.contains(run.recipe)) object["recipe_document"] = recipes.at(run.recipe);
  return object;
}

bool same_identity(const Json& a, const Json& b) { return nlohmann::json(a) == nlohmann::json(b); }

StudyPlan read_plan(const std::filesystem::path& file) {
  const Json document = read_json(file);
  const std::string path = file.string();
  check_fields(document, {"tasks", "recipes", "groups"}, path);
  StudyPlan plan;
  plan.name = file.stem().string();
  plan.tasks = read_tasks(document.value("tasks", Json()), path + ": tasks");
  plan.recipes = document.value("recipes", Json::object());
  const Json groups = document.value("groups", Json());
  if (!groups.is_array()) fail("{}: groups: must be a list", path);
  Expansion expansion(plan);
  for (std::size_t g = 0; g < groups.size(); ++g) expansion.add(groups[g], fmt::format("{}: groups[{}]", path, g));
  return plan;
}

std::vector<StudyRun> select(const StudyPlan& plan, const std::vector<std::string>& patterns) {
  if (patterns.empty()) return plan.runs;
  std::vector<StudyRun> selected;
  std::set<std::string> taken;
  for (const std::string& pattern : patterns) {
    bool matched = false;
    try {
      const std::regex expression(pattern);
      for (const StudyRun& run : plan.runs) {
        if (!std::regex_search(run.name(), expression)) continue;
        matched = true;
        if (taken.insert(run.name()).second) selected.push_back(run);
      }
    } catch (const std::regex_error& error) {
      fail("pattern \"{}\": {}", pattern, error.what());
    }
    if (!matched) fail("pattern \"{}\" matches no run", pattern);
  }
  return selected;
}

}  // namespace fixtune::study
