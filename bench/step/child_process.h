#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace fixtune::bench {

/// A program run beside this one, spoken to line by line over its standard input and output.
class ChildProcess {
 public:
  /// Starts it, in this environment. Throws Error if that fails.
  explicit ChildProcess(const std::vector<std::string>& arguments);
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  /// Closes its input and waits for its end.
  ~ChildProcess();

  /// Throws Error if the program has ended.
  void write_line(std::string_view line);
  /// Waits for the next line that begins with `{`; passes over others. Throws Error if the program ended instead.
  std::string read_json_line();

 private:
  std::string read_line();

  std::string program_;
  pid_t process_ = -1;
  int socket_ = -1;
  std::string buffered_;
};

}  // namespace fixtune::bench
