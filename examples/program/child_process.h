#pragma once

#include <signal.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace fixtune::program {

/// Keeps SIGINT and SIGTERM from ending this process while it lives: they wait to be taken.
class HeldSignals {
 public:
  HeldSignals();
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;
  ~HeldSignals();

  /// The next signal, waiting at most `patience`: SIGINT, SIGTERM or SIGCHLD; none if there was none.
  std::optional<int> take(std::chrono::milliseconds patience) const;
  /// The mask from before, for a child.
  const sigset_t& former() const { return former_; }

 private:
  sigset_t held_{};
  sigset_t former_{};
};

/// A file that one process at a time, with its children, holds locked; free again when all of them are gone, however.
class FileLock {
 public:
  /// Throws Error naming the path where it cannot be opened.
  explicit FileLock(const std::filesystem::path& path);
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();
  /// Whether the lock is ours; false where another process has it.
  bool held() const { return held_; }

 private:
  int descriptor_ = -1;
  bool held_ = false;
};

/// How a child process ended.
struct ChildEnd {
  int code = 0;                         ///< its exit code, where no signal ended it
  int signal = 0;                       ///< the signal that ended it, else 0
  std::optional<int> signal_passed_on;  ///< what this process was sent meanwhile, and sent on
  bool timed_out = false;               ///< whether it was sent SIGTERM at the deadline

  bool succeeded() const { return code == 0 && signal == 0; }
};

using Deadline = std::optional<std::chrono::steady_clock::time_point>;

/// Runs a program to its end, its output appended to `log`. Signals to this process, and SIGTERM at the deadline, are
/// passed on; should this process die, the child gets SIGTERM. `tick` is called about once a second. Throws Error
/// naming the log or the program where it cannot be started.
ChildEnd run_child(const std::vector<std::string>& command, const std::filesystem::path& log,
                   const HeldSignals& signals, const Deadline& deadline, const std::function<void()>& tick);

}  // namespace fixtune::program
