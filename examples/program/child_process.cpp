#include "program/child_process.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "fixtune/core/error.h"

namespace fixtune::program {
namespace {

/// In the child, between fork and exec: only calls that are safe there.
[[noreturn]] void become(char* const* arguments, int log, const sigset_t& mask, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(127);
  // A group of its own: the terminal's Ctrl-C reaches the parent alone, which passes it on.
  setpgid(0, 0);
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  execv(arguments[0], arguments);
  const std::array<const char*, 4> message = {arguments[0], ": ", std::strerror(errno), "\n"};
  for (const char* part : message)
    if (write(STDERR_FILENO, part, std::strlen(part)) < 0) break;
  _exit(127);
}

pid_t start(const std::vector<std::string>& command, const std::filesystem::path& log, const sigset_t& mask) {
  if (access(command.front().c_str(), X_OK) != 0) fail("{}: {}", command.front(), std::strerror(errno));
  const int descriptor = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor < 0) fail("{}: {}", log.string(), std::strerror(errno));
  std::vector<std::string> words = command;
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) become(arguments.data(), descriptor, mask, parent);
  const int error = errno;
  close(descriptor);
  if (child < 0) fail("{}: {}", command.front(), std::strerror(error));
  return child;
}

}  // namespace

HeldSignals::HeldSignals() {
  sigemptyset(&held_);
  for (const int signal : {SIGINT, SIGTERM, SIGCHLD}) sigaddset(&held_, signal);
  sigprocmask(SIG_BLOCK, &held_, &former_);
}

HeldSignals::~HeldSignals() { sigprocmask(SIG_SETMASK, &former_, nullptr); }

std::optional<int> HeldSignals::take(std::chrono::milliseconds patience) const {
  const timespec wait{patience.count() / 1000, patience.count() % 1000 * 1000000};
  const int signal = sigtimedwait(&held_, nullptr, &wait);
  if (signal < 0) return std::nullopt;
  return signal;
}

FileLock::FileLock(const std::filesystem::path& path) {
  // Not closed on exec: a child that outlives us still holds the lock.
  descriptor_ = open(path.c_str(), O_RDWR | O_CREAT, 0666);  // NOLINT
  if (descriptor_ < 0) fail("{}: {}", path.string(), std::strerror(errno));
  // A file system without locks lets everyone on.
  held_ = flock(descriptor_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

FileLock::~FileLock() { close(descriptor_); }

ChildEnd run_child(const std::vector<std::string>& command, const std::filesystem::path& log,
                   const HeldSignals& signals, const Deadline& deadline, const std::function<void()>& tick) {
  const pid_t child = start(command, log, signals.former());
  ChildEnd end;
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    const std::optional<int> signal = signals.take(std::chrono::seconds(1));
    if (!signal) tick();
    if (signal && *signal != SIGCHLD) {
      kill(child, *signal);
      end.signal_passed_on = signal;
    }
    if (!end.timed_out && deadline && std::chrono::steady_clock::now() >= *deadline) {
      kill(child, SIGTERM);
      end.timed_out = true;
    }
  }
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  if (WIFEXITED(status)) end.code = WEXITSTATUS(status);
  return end;
}

}  // namespace fixtune::program
