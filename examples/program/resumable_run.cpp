#include "program/resumable_run.h"

#include <set>
#include <utility>

#include "fixtune/io/checksum.h"
#include "fixtune/io/file.h"
#include "fixtune/train/checkpoint.h"
#include "program/run.h"
#include "program/stop_signals.h"
#include "program/task_data.h"

namespace fixtune::program {

void ResumableRun::add_options(CLI::App& app) {
  app.add_option("--checkpoint-every", options_.every, "steps between checkpoints in OUT/checkpoints (0: none)")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--keep", options_.keep, "newest checkpoints to keep (0: one, and none after the end)")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_flag("--resume", options_.resume, "go on from the newest checkpoint, or start anew where there is none");
}

void ResumableRun::begin(const std::filesystem::path& out, RunDescription run) {
  options_.folder = out / "checkpoints";
  options_.run = std::move(run);
}

bool ResumableRun::is_finished() const {
  if (!options_.resume || has_checkpoints(options_.folder)) return false;
  const std::filesystem::path out = options_.folder.parent_path();
  const Json record = read_run_record(out);
  if (!record.contains("run")) return false;
  require_same_run(record.at("run"), options_.run.identity, (out / "fixtune.json").string());
  return true;
}

void ResumableRun::stop() const {
  notice(fmt::format("stopped by signal {}; {}", stop_signal(),
                     is_wanted() ? "--resume goes on from here" : "without --checkpoint-every nothing is kept"));
  throw Stopped{stop_signal()};
}

void ResumableRun::finish(const std::filesystem::path& out, Json record) const {
  if (is_wanted()) record["run"] = options_.run.identity;
  write_file_atomically(out / "fixtune.json", record.dump(2) + "\n");
  sync_folder(out);
  if (is_wanted() && options_.keep == 0) remove_checkpoints(options_.folder);
}

Json model_checksums(const std::filesystem::path& folder) {
  Json checksums = Json::object();
  for (const char* name : {"config.json", "vocab.txt", "tokenizer.json", "tokenizer_config.json"})
    if (std::filesystem::exists(folder / name)) checksums[name] = file_checksum(folder / name);
  std::set<std::filesystem::path> weights;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".safetensors") weights.insert(entry.path());
  for (const auto& file : weights) checksums[file.filename()] = file_checksum(file);
  return checksums;
}

}  // namespace fixtune::program
