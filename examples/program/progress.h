#pragma once

#include <chrono>
#include <string>

namespace fixtune::program {

/// A progress bar on standard error; plain lines, every few seconds, where that is not a terminal.
class Progress {
 public:
  explicit Progress(std::string title);
  /// Shows `done` of `total` and a note (loss, speed, time left).
  void show(long done, long total, const std::string& note);
  /// Ends the line of a bar.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;
  std::string title_;
  bool terminal_;
  bool open_ = false;
  Clock::time_point last_{};
};

/// "1:23:45" or "2:07".
std::string duration(double seconds);

}  // namespace fixtune::program
