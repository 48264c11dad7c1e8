#include "program/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

namespace fixtune::program {

Progress::Progress(std::string title) : title_(std::move(title)), terminal_(isatty(STDERR_FILENO) == 1) {}

void Progress::show(long done, long total, const std::string& note) {
  const auto now = Clock::now();
  const auto interval = terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10000);
  if (done < total && now - last_ < interval) return;
  last_ = now;
  if (!terminal_) {
    fmt::print(stderr, "{} {}/{} {}\n", title_, done, total, note);
    return;
  }
  constexpr int width = 24;
  const int filled = total > 0 ? static_cast<int>(width * done / total) : width;
  fmt::print(stderr, "\r\x1b[2K{} [{:#<{}}{:.<{}}] {}/{} {}", title_, "", filled, "", width - filled, done, total,
             note);
  std::fflush(stderr);
  open_ = true;
}

void Progress::finish() {
  if (open_) fmt::print(stderr, "\n");
  open_ = false;
}

std::string duration(double seconds) {
  const long s = std::max(0L, static_cast<long>(seconds + 0.5));
  if (s >= 3600) return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  return fmt::format("{}:{:02}", s / 60, s % 60);
}

}  // namespace fixtune::program
