#include "program/stop_signals.h"

#include <unistd.h>

#include <csignal>

namespace fixtune::program {
namespace {

volatile std::sig_atomic_t caught = 0;

extern "C" void note_signal(int signal) {
  if (caught != 0) _exit(128 + signal);
  caught = signal;
}

}  // namespace

void catch_stop_signals() {
  std::signal(SIGINT, note_signal);
  std::signal(SIGTERM, note_signal);
}

int stop_signal() { return caught; }

}  // namespace fixtune::program
