#include "fixtune/train/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>

#include "fixtune/io/file.h"
#include "fixtune/io/safetensors.h"
#include "fixtune/io/sealed_folder.h"

namespace fixtune {
namespace {

constexpr int format_version = 1;
constexpr const char* weights_file = "model.safetensors";
constexpr const char* moments_file = "optimizer.safetensors";
constexpr const char* state_file = "state.json";
constexpr const char* finished_name = "finished";

std::filesystem::path made(std::filesystem::path folder) {
  create_folders(folder);
  return folder;
}

std::string step_name(Index step) { return fmt::format("step-{:08}", step); }

/// A folder with a checkpoint's name.
struct Candidate {
  Index step = 0;  ///< the largest there is for the finished run's
  std::filesystem::path path;
};

std::optional<Index> step_of(const std::string& name) {
  if (name == finished_name) return std::numeric_limits<Index>::max();
  Index step = 0;
  const char* end = name.data() + name.size();
  if (!name.starts_with("step-") || std::from_chars(name.data() + 5, end, step).ec != std::errc()) return {};
  return step >= 0 && step_name(step) == name ? std::optional(step) : std::nullopt;
}

std::vector<Candidate> newest_first(const std::filesystem::path& folder) {
  std::vector<Candidate> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
    if (const auto step = step_of(entry.path().filename()); step && entry.is_directory(ignored))
      found.push_back({*step, entry.path()});
  std::sort(found.begin(), found.end(), [](const Candidate& a, const Candidate& b) { return a.step > b.step; });
  return found;
}

std::string first_moment(const std::string& parameter) { return "first_moment." + parameter; }
std::string second_moment(const std::string& parameter) { return "second_moment." + parameter; }

NamedTensor named(std::string name, const Tensor& tensor) {
  return {std::move(name), {tensor.rows(), tensor.cols()}, &tensor};
}

void write_tensors(const AdamW& optimizer, const std::filesystem::path& folder) {
  std::vector<NamedTensor> weights, moments;
  for (std::size_t i = 0; i < optimizer.parameters().size(); ++i) {
    const std::string name = optimizer.name_of(i);
    weights.push_back(named(name, optimizer.parameters()[i].variable.value()));
    if (optimizer.first_moments()[i].empty()) continue;
    moments.push_back(named(first_moment(name), optimizer.first_moments()[i]));
    moments.push_back(named(second_moment(name), optimizer.second_moments()[i]));
  }
  write_safetensors(folder / weights_file, weights);
  write_safetensors(folder / moments_file, moments);
}

void read_weights(const std::filesystem::path& file_name, const AdamW& optimizer) {
  const SafetensorsFile file(file_name);
  const auto parameters = optimizer.parameters();
  if (file.entries.size() != parameters.size())
    fail("{}: {} tensors for a model of {}", file_name.string(), file.entries.size(), parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Tensor stored = file.read(optimizer.name_of(i));
    Variable parameter = parameters[i].variable;
    if (stored.rows() != parameter.rows() || stored.cols() != parameter.cols())
      fail("{}: tensor {} has shape [{}, {}], the model's is [{}, {}]", file_name.string(), optimizer.name_of(i),
           stored.rows(), stored.cols(), parameter.rows(), parameter.cols());
    if (!stored.empty()) std::memcpy(parameter.mutable_value().data(), stored.data(), stored.bytes());
  }
}

void read_moments(const std::filesystem::path& file_name, const Json& document, AdamW& optimizer) {
  const SafetensorsFile file(file_name);
  const std::size_t count = optimizer.parameters().size();
  std::vector<Tensor> first(count), second(count);
  std::vector<Index> steps(count, 0);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = optimizer.name_of(i);
    steps[i] = document.at("parameter_steps").at(name);
    if (steps[i] == 0) continue;
    first[i] = file.read(first_moment(name));
    second[i] = file.read(second_moment(name));
  }
  optimizer.restore(document.at("steps"), std::move(steps), std::move(first), std::move(second));
}

Json optimizer_document(const AdamW& optimizer) {
  Json steps = Json::object();
  for (std::size_t i = 0; i < optimizer.parameters().size(); ++i)
    steps[optimizer.name_of(i)] = optimizer.parameter_steps()[i];
  return {{"steps", optimizer.steps()}, {"parameter_steps", std::move(steps)}};
}

}  // namespace

CheckpointFolder::CheckpointFolder(std::filesystem::path folder, RunDescription run, Index keep, LogCallback log)
    : folder_(made(std::move(folder))),
      lock_(folder_),
      run_(std::move(run)),
      keep_(std::max<Index>(1, keep)),
      log_(std::move(log)) {
  remove_partials(folder_);
}

std::optional<std::filesystem::path> CheckpointFolder::newest() const {
  for (const Candidate& candidate : newest_first(folder_)) {
    const std::string found = flaw(candidate.path, SealCheck::Contents);
    if (found.empty()) return candidate.path;
    if (log_) log_(fmt::format("{} is not whole and passed over: {}", candidate.path.string(), found));
  }
  return {};
}

void CheckpointFolder::save(const AdamW& optimizer, const TrainingState& state, bool finished) {
  const std::string name = finished ? finished_name : step_name(state.step);
  SealedFolder checkpoint(folder_ / name);
  write_tensors(optimizer, checkpoint.temporary());
  const Json document = {{"format", format_version},
                         {"run", run_.identity},
                         {"circumstances", run_.circumstances},
                         {"optimizer", optimizer_document(optimizer)},
                         {"state", to_json(state)}};
  write_file_atomically(checkpoint.temporary() / state_file, document.dump(2) + "\n");
  checkpoint.commit();
  remove_old(*step_of(name), /*and_newer=*/true);
}

void CheckpointFolder::remove_old(Index newest, bool and_newer) const {
  Index kept = 0;
  for (const Candidate& candidate : newest_first(folder_)) {
    std::error_code ignored;
    // What claims to be newer was passed over when the run went on from an older one.
    if (candidate.step > newest && !and_newer) continue;
    if (kept < keep_ && candidate.step <= newest && flaw(candidate.path, SealCheck::Sizes).empty())
      ++kept;
    else
      std::filesystem::remove_all(candidate.path, ignored);
  }
}

bool has_checkpoints(const std::filesystem::path& folder) { return !newest_first(folder).empty(); }

void remove_checkpoints(const std::filesystem::path& folder) {
  std::error_code ignored;
  for (const Candidate& candidate : newest_first(folder)) std::filesystem::remove_all(candidate.path, ignored);
  std::filesystem::remove(folder, ignored);
}

TrainingState CheckpointFolder::load(const std::filesystem::path& checkpoint, AdamW& optimizer) const {
  const std::string where = (checkpoint / state_file).string();
  try {
    const Json document = read_json(where);
    if (document.at("format") != format_version)
      fail("{}: format {} is not known (known: {})", where, document.at("format").dump(), format_version);
    require_same_run(document.at("run"), run_.identity, checkpoint.string());
    for (const std::string& difference : differences(document.at("circumstances"), run_.circumstances))
      if (log_) log_(fmt::format("{}: {}; results may differ in their last bits", checkpoint.string(), difference));
    TrainingState state = parse_training_state(document.at("state"), where);
    read_weights(checkpoint / weights_file, optimizer);
    read_moments(checkpoint / moments_file, document.at("optimizer"), optimizer);
    // A run may have been killed after it saved and before it removed what that made old.
    if (const auto step = step_of(checkpoint.filename().string())) remove_old(*step, /*and_newer=*/false);
    return state;
  } catch (const nlohmann::json::exception& error) {
    fail("{}: {}", where, error.what());
  }
}

}  // namespace fixtune
