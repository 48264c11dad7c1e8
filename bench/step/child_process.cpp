#include "step/child_process.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "fixtune/core/error.h"

namespace fixtune::bench {
namespace {

[[noreturn]] void become(const std::vector<std::string>& arguments, int socket) {
  dup2(socket, STDIN_FILENO);
  dup2(socket, STDOUT_FILENO);
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  execvp(pointers[0], pointers.data());
  _exit(127);
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& arguments) : program_(arguments.back()) {
  std::array<int, 2> ends{};
  // A socket, not a pipe: writing to a program that has ended is then an error and not a signal.
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    fail("cannot start {}: {}", program_, std::strerror(errno));
  process_ = fork();
  if (process_ == 0) become(arguments, ends[1]);
  close(ends[1]);
  socket_ = ends[0];
  if (process_ < 0) fail("cannot start {}: {}", program_, std::strerror(errno));
}

ChildProcess::~ChildProcess() {
  close(socket_);
  if (process_ > 0) waitpid(process_, nullptr, 0);
}

void ChildProcess::write_line(std::string_view line) {
  const std::string text = std::string(line) + "\n";
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t n = send(socket_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (n < 0) fail("{} has ended: {}", program_, std::strerror(errno));
    sent += static_cast<std::size_t>(n);
  }
}

std::string ChildProcess::read_line() {
  for (;;) {
    if (const auto end = buffered_.find('\n'); end != std::string::npos) {
      std::string line = buffered_.substr(0, end);
      buffered_.erase(0, end + 1);
      return line;
    }
    std::array<char, 4096> part{};
    const ssize_t n = read(socket_, part.data(), part.size());
    if (n <= 0) fail("{} ended without an answer", program_);
    buffered_.append(part.data(), static_cast<std::size_t>(n));
  }
}

std::string ChildProcess::read_json_line() {
  for (;;)
    if (std::string line = read_line(); line.starts_with('{')) return line;
}

}  // namespace fixtune::bench
