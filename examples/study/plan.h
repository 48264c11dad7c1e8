#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "fixtune/io/json.h"

namespace fixtune::study {

/// One run of finetune.
struct StudyRun {
  std::string model;   ///< folder below --models
  std::string task;    ///< name of a StudyTask
  std::string recipe;  ///< a preset, or a name the plan defines
  std::uint64_t seed = 0;
  Json options = Json::object();  ///< finetune's other options by name, without dashes

  /// What its files are called: TASK-RECIPE-SEED-MODEL.
  std::string name() const;
};

/// Where a task's data lie, and what a reader of its numbers must know.
struct StudyTask {
  std::string name;       ///< as finetune's --task
  std::string data;       ///< below --data
  std::string eval_data;  ///< below --data; empty: what `data` implies
  std::string note;
  Json options = Json::object();  ///< finetune's options for this task
};

/// A study: its runs in the order they are wanted.
struct StudyPlan {
  std::string name;  ///< the file's, without extension
  std::vector<StudyTask> tasks;
  Json recipes = Json::object();  ///< recipe documents by name, beside the presets
  std::vector<StudyRun> runs;

  const StudyTask& task_of(const StudyRun& run) const;
  /// What decides a run's outcome, as it is kept beside its figures: model, task, recipe, seed and options.
  Json identity(const StudyRun& run) const;
};

/// Whether two identities are equal, whatever the order of their fields.
bool same_identity(const Json& a, const Json& b);

/// Reads a study:
/// `{"tasks": {TASK: {"data": PATH, "eval-data": PATH, "note": TEXT, "options": {OPTION: VALUE}}},
///   "recipes": {NAME: DOCUMENT},
///   "groups": [{"models": [...], "tasks": [...], "recipes": [...], "seeds": [...], "options": {OPTION: VALUE}}]}`.
/// A group stands for every combination, recipes changing fastest, then tasks, seeds and models; its options come
/// before the task's. A run named twice with the same options is one run, at its first place. Throws Error naming the
/// file and the field.
StudyPlan read_plan(const std::filesystem::path& file);

/// The runs whose name has a match of one of the patterns (ECMAScript regular expressions), those of the first pattern
/// first; every run where there are no patterns. Throws Error naming a pattern that is malformed or matches no run.
std::vector<StudyRun> select(const StudyPlan& plan, const std::vector<std::string>& patterns);

}  // namespace fixtune::study
