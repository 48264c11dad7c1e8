#pragma once

#include <benchmark/benchmark.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "program/closing_table.h"

namespace fixtune::bench {

/// A benchmark program: its options, what it measures, and the tables it closes with.
///
/// Options it does not know go to Google Benchmark (--benchmark_filter, --benchmark_out, ...).
class Program {
 public:
  /// `rounds` is the default of --rounds.
  Program(std::string name, std::string description, int rounds);

  CLI::App& options() { return app_; }
  int rounds() const { return rounds_; }

  /// Registers a benchmark whose body runs --rounds rounds.
  void measure(const std::string& title, std::function<void(benchmark::State&)> body);
  /// Adds a table to print and to write.
  void close_with(ClosingTable table) { tables_.push_back(std::move(table)); }

  /// Parses the options, calls `prepare` (which registers), runs the benchmarks, calls `close` (which makes tables),
  /// prints them and writes --json. Returns the exit code: 0 done, 2 bad options or input.
  int run(int argc, char** argv, const std::function<void()>& prepare, const std::function<void()>& close);

 private:
  int run_benchmarks(const char* program);
  void write_tables() const;

  CLI::App app_;
  std::string name_;
  int threads_ = 0;
  int rounds_;
  std::string json_file_;
  bool registered_ = false;
  std::vector<ClosingTable> tables_;
};

}  // namespace fixtune::bench
