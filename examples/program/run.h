#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace fixtune::program {

/// Exit codes of every program: 0 done, 2 bad input or options, 1 anything unforeseen; 128 + signal where a signal
/// stopped it.
enum ExitCode : int { success = 0, unforeseen = 1, bad_input = 2 };

/// Parses the options, runs `body`, and turns an error into one line on standard error and an exit code.
int run(CLI::App& app, int argc, char** argv, const std::function<void()>& body);

/// Adds --threads, for set_thread_count().
void add_threads(CLI::App& app, int& threads);

/// Prints a notice on standard error.
void notice(std::string_view text);

/// Most memory this process has held so far, in bytes.
std::size_t peak_memory_bytes();

}  // namespace fixtune::program
