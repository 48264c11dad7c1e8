#pragma once

namespace fixtune::program {

/// From here on SIGINT and SIGTERM only ask to stop; a second one ends the process at once, with code 128 + signal.
void catch_stop_signals();

/// The signal that asked to stop, or 0.
int stop_signal();

/// Thrown to end a program after such a signal, with exit code 128 + signal.
struct Stopped {
  int signal;
};

}  // namespace fixtune::program
