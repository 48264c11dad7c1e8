// Runs a model once per recipe of a list on the same real text, and sets hidden states and gradients against FP32's.
#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "ablate/figures.h"
#include "program/progress.h"
#include "program/report_files.h"
#include "program/run.h"

namespace {

using namespace fixtune;

struct Options {
  program::MeasuredTextOptions text;
  program::ReportFiles files;
  std::string recipes;
  Index draws = 1;
};

/// Refuses a pattern that matches no layer before anything runs, not when its turn comes.
void check_patterns(const std::vector<NamedRecipes>& list, const program::MeasuredText& text) {
  const std::vector<std::string> layers = text.open({preset("fp32"), {}}).encoder->linear_names();
  for (const NamedRecipes& r : list)
    for (const std::string& pattern : r.recipes.unmatched(layers))
      fail("recipe {}: pattern \"{}\" matches no layer of {}", r.name, pattern, text.model);
}

/// What an earlier run on the same text left in the file of figures; an empty document where there is none.
Json earlier_figures(const std::string& file, const Json& description) {
  if (file.empty() || !std::filesystem::exists(file)) return Json::object();
  const Json document = read_json(file);
  for (const auto& [field, value] : description.items())
    if (!document.is_object() || document.value(field, Json()) != value)
      fail("--json: {} holds figures of something else ({}); name another file", file, field);
  return document;
}

using Figures = std::vector<std::optional<ablate::RecipeFigures>>;

/// Those that are there, in the list's order.
std::vector<ablate::RecipeFigures> present(const Figures& figures) {
  std::vector<ablate::RecipeFigures> all;
  for (const auto& f : figures)
    if (f) all.push_back(*f);
  return all;
}

Json with_figures(Json document, const std::vector<ablate::RecipeFigures>& figures) {
  document["recipes"] = Json::array();
  for (const ablate::RecipeFigures& f : figures) document["recipes"].push_back(ablate::to_json(f));
  return document;
}

/// Measures what the file of figures does not hold yet, and writes it after every recipe: a run may be stopped.
void run(const Options& o) {
  o.files.check();
  const std::vector<NamedRecipes> list = read_recipe_list(o.recipes);
  const program::MeasuredText text = program::read_measured_text(o.text);
  check_patterns(list, text);
  const Json description = text.description(o.text.task);
  const Json earlier = earlier_figures(o.files.json, description);
  Figures figures;
  for (const NamedRecipes& recipes : list) figures.push_back(ablate::find_earlier(earlier, recipes, o.draws));

  std::optional<ablate::EncoderRun> fp32;
  program::Progress bar("ablate");
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (figures[i]) continue;
    bar.show(static_cast<long>(i), static_cast<long>(list.size()), list[i].name);
    if (!fp32) fp32 = ablate::run_encoder(text, {preset("fp32"), {}}, 0);
    figures[i] = ablate::measure(text, list[i], o.draws, *fp32);
    o.files.write_figures(with_figures(description, present(figures)));
  }
  bar.finish();
  const std::vector<ablate::RecipeFigures> all = present(figures);
  const std::string title = fmt::format("{}: errors against FP32 on {} examples of {}",
                                        description.at("model").get<std::string>(), text.examples(), o.text.task.task);
  o.files.write(with_figures(description, all), ablate::markdown(all), [&] { return ablate::plot(all, title); });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Set the errors of recipes beside each other: last hidden states and encoder gradients against FP32",
               "ablate");
  Options o;
  o.text.add_options(app);
  app.add_option("--recipes", o.recipes, "JSON list of named recipes; what --json holds of it already is not run again")
      ->required();
  app.add_option("--draws", o.draws, "runs of a recipe whose rounding draws numbers")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  o.files.add_options(app);
  return program::run(app, argc, argv, [&] { run(o); });
}
