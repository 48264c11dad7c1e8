#include "program/run.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <exception>

#include "fixtune/core/error.h"
#include "fixtune/core/parallel.h"
#include "program/stop_signals.h"

namespace fixtune::program {

int run(CLI::App& app, int argc, char** argv, const std::function<void()>& body) {
  restart_with_sleeping_threads(argv);
  // A file past the size limit is then an error with a name, as a full disk is.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? success : bad_input;
  }
  try {
    body();
    return success;
  } catch (const Stopped& stopped) {
    return 128 + stopped.signal;
  } catch (const Error& error) {
    fmt::print(stderr, "{}: {}\n", app.get_name(), error.what());
    return bad_input;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: unforeseen error: {}\n", app.get_name(), error.what());
    return unforeseen;
  }
}

void add_threads(CLI::App& app, int& threads) {
  app.add_option("--threads", threads, "threads to use (0: all this process may use)")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
}

void notice(std::string_view text) { fmt::print(stderr, "notice: {}\n", text); }

std::size_t peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

}  // namespace fixtune::program
