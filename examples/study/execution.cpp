#include "study/execution.h"

#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "fixtune/core/error.h"
#include "fixtune/io/file.h"
#include "program/child_process.h"
#include "program/progress.h"
#include "study/results.h"

namespace fixtune::study {
namespace {

using std::filesystem::path;
using Clock = std::chrono::steady_clock;

std::string time_since(Clock::time_point start) {
  return program::duration(std::chrono::duration<double>(Clock::now() - start).count());
}

/// A file's last lines, at most `count` of them.
std::string last_lines(const path& file, int count) {
  const std::string text = read_file(file);
  std::size_t begin = text.size();
  for (int newlines = text.ends_with('\n') ? -1 : 0; begin > 0; --begin)
    if (text[begin - 1] == '\n' && ++newlines == count) break;
  return text.substr(begin);
}

std::string metrics_text(const Json& result) {
  std::string text;
  for (const auto& [name, value] : result.at("figures").at("epochs").back().at("metrics").items())
    text += fmt::format(", {} {}", name, value.is_number() ? fmt::format("{:.4f}", value.get<double>()) : "undefined");
  return text;
}

std::string ending(const program::ChildEnd& end) {
  return end.signal != 0 ? fmt::format("killed by signal {}", end.signal) : fmt::format("exit code {}", end.code);
}

std::string option_text(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

/// Runs the missing runs of a plan, once.
class Execution {
 public:
  Execution(const StudyPlan& plan, const ExecutionOptions& options) : plan_(plan), options_(options) {
    if (options.max_hours > 0)
      deadline_ = start_ + std::chrono::seconds(static_cast<long>(options.max_hours * 3600));
  }

  int execute() {
    const std::vector<StudyRun> chosen = select(plan_, options_.only);
    std::vector<StudyRun> missing;
    for (const StudyRun& run : chosen)
      if (read_result(plan_, run, options_.results).is_null()) missing.push_back(run);
    const std::size_t done = chosen.size() - missing.size();
    say("{} runs, {} of them done", chosen.size(), done);
    std::filesystem::create_directories(options_.results);
    for (std::size_t i = 0; i < missing.size() && !must_stop(); ++i) {
      title_ = fmt::format("[{}/{}] {}", done + i + 1, chosen.size(), missing[i].name());
      execute(missing[i]);
    }
    return conclude(missing);
  }

 private:
  template <typename... Args>
  void say(fmt::format_string<Args...> format, Args&&... args) const {
    fmt::print("{}\n", fmt::format(format, std::forward<Args>(args)...));
    std::fflush(stdout);
  }

  /// Whether a signal has come, in a run or between two, or the time is up.
  bool must_stop() {
    while (!stop_signal_) {
      const std::optional<int> signal = signals_.take(std::chrono::milliseconds(0));
      if (!signal) break;
      if (*signal != SIGCHLD) stop_signal_ = signal;
    }
    return stop_signal_ || (deadline_ && Clock::now() >= *deadline_);
  }

  void execute(const StudyRun& run) {
    const path folder = options_.work / run.name();
    std::filesystem::create_directories(folder);
    const program::FileLock lock(folder / "lock");
    if (!lock.held()) return say("{}: another process is at it", title_);
    // Another study may have finished it since this one began.
    if (!read_result(plan_, run, options_.results).is_null()) return say("{}: done elsewhere", title_);
    if (plan_.recipes.contains(run.recipe))
      write_file_atomically(folder / "recipe.json", plan_.recipes.at(run.recipe).dump(2) + "\n");

    say("{}: starts, {} used so far", title_, time_since(start_));
    const Clock::time_point begin = Clock::now();
    const path log = folder / "log";
    const program::ChildEnd end = program::run_child(finetune_command(plan_, run, options_), log, signals_, deadline_,
                                                     [&] { show_last_line(log); });
    if (terminal_) fmt::print(stderr, "\r\x1b[2K");
    stop_signal_ = end.signal_passed_on;
    if (end.succeeded())
      keep(run, folder, begin);
    else if (end.signal_passed_on || end.timed_out)
      say("{}: stopped after {}", title_, time_since(begin));
    else
      report_failure(run, log, ending(end));
  }

  void keep(const StudyRun& run, const path& folder, Clock::time_point begin) {
    try {
      keep_result(plan_, run, folder / "figures.json", options_.results);
    } catch (const Error& error) {
      return report_failure(run, folder / "log", error.what());
    }
    say("{}: done in {}{}", title_, time_since(begin), metrics_text(read_result(plan_, run, options_.results)));
    if (options_.keep_models) return;
    std::filesystem::remove_all(folder / "model");
    std::filesystem::remove(folder / "figures.json");
  }

  void report_failure(const StudyRun& run, const path& log, const std::string& reason) {
    failed_.push_back(run.name());
    say("{}: failed: {}; the end of {}:\n{}", title_, reason, log.string(), last_lines(log, 10));
  }

  /// On a terminal, the child's own progress in place.
  void show_last_line(const path& log) const {
    if (!terminal_) return;
    std::string line = last_lines(log, 1);
    if (line.ends_with('\n')) line.pop_back();
    fmt::print(stderr, "\r\x1b[2K{}: {}", title_, line);
    std::fflush(stderr);
  }

  int conclude(const std::vector<StudyRun>& wanted) const {
    if (!failed_.empty()) say("{} failed: {}", failed_.size(), fmt::join(failed_, " "));
    const auto left = std::count_if(wanted.begin(), wanted.end(), [&](const StudyRun& run) {
      return read_result(plan_, run, options_.results).is_null();
    });
    say("{} left, {} used", left, time_since(start_));
    if (stop_signal_) return 128 + *stop_signal_;
    return left == 0 ? 0 : 1;
  }

  const StudyPlan& plan_;
  const ExecutionOptions& options_;
  const program::HeldSignals signals_;
  const Clock::time_point start_ = Clock::now();
  const bool terminal_ = isatty(STDERR_FILENO) == 1;
  program::Deadline deadline_;
  std::optional<int> stop_signal_;
  std::string title_;
  std::vector<std::string> failed_;
};

}  // namespace

std::vector<std::string> finetune_command(const StudyPlan& plan, const StudyRun& run, const ExecutionOptions& options) {
  const StudyTask& task = plan.task_of(run);
  const path folder = options.work / run.name();
  std::vector<std::string> command{options.finetune.string()};
  const auto add = [&](const std::string& option, const std::string& value) {
    command.push_back("--" + option);
    command.push_back(value);
  };
  add("model", (options.models / run.model).string());
  add("task", run.task);
  add("data", (options.data / task.data).string());
  if (!task.eval_data.empty()) add("eval-data", (options.data / task.eval_data).string());
  add("recipe", plan.recipes.contains(run.recipe) ? (folder / "recipe.json").string() : run.recipe);
  add("seed", std::to_string(run.seed));
  add("out", (folder / "model").string());
  add("json", (folder / "figures.json").string());
  if (options.threads > 0) add("threads", std::to_string(options.threads));
  if (options.checkpoint_every > 0) {
    add("checkpoint-every", std::to_string(options.checkpoint_every));
    add("keep", "0");
    command.push_back("--resume");
  }
  for (const auto& [name, value] : run.options.items()) {
    if (!value.is_boolean())
      add(name, option_text(value));
    else if (value.get<bool>())
      command.push_back("--" + name);
  }
  return command;
}

int execute(const StudyPlan& plan, const ExecutionOptions& options) { return Execution(plan, options).execute(); }

}  // namespace fixtune::study
