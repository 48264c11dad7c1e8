#include "program/program.h"

#include <fmt/format.h>

#include <cstdio>
#include <utility>

#include "fixtune/core/error.h"
#include "fixtune/core/parallel.h"
#include "fixtune/io/file.h"

namespace fixtune::bench {

Program::Program(std::string name, std::string description, int rounds)
    : app_(std::move(description), name), name_(std::move(name)), rounds_(rounds) {
  app_.allow_extras();
  app_.add_option("--threads", threads_, "threads to use (0: all this process may use)")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app_.add_option("--rounds", rounds_, "rounds, in each of which every contestant runs once; medians are shown")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app_.add_option("--json", json_file_, "file to write the closing tables to");
}

void Program::measure(const std::string& title, std::function<void(benchmark::State&)> body) {
  registered_ = true;
  benchmark::RegisterBenchmark(title.c_str(), std::move(body))
      ->Unit(benchmark::kMillisecond)
      ->Iterations(rounds_)
      ->UseRealTime();
}

int Program::run_benchmarks(const char* program) {
  std::vector<std::string> rest = app_.remaining();
  rest.insert(rest.begin(), program);
  std::vector<char*> arguments;
  for (std::string& argument : rest) arguments.push_back(argument.data());
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;
  if (registered_) benchmark::RunSpecifiedBenchmarks();
  return 0;
}

void Program::write_tables() const {
  for (const ClosingTable& table : tables_) fmt::print("\n{}", table.text());
  if (json_file_.empty()) return;
  Json document = {{"program", name_}, {"threads", thread_count()}, {"rounds", rounds_}, {"tables", Json::array()}};
  for (const ClosingTable& table : tables_) document["tables"].push_back(table.json());
  write_file_atomically(json_file_, document.dump(1) + "\n");
}

int Program::run(int argc, char** argv, const std::function<void()>& prepare, const std::function<void()>& close) {
  restart_with_sleeping_threads(argv);
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app_.exit(error) == 0 ? 0 : 2;
  }
  try {
    set_thread_count(threads_);
    prepare();
    if (const int code = run_benchmarks(argv[0]); code != 0) return code;
    close();
    write_tables();
    return 0;
  } catch (const Error& error) {
    fmt::print(stderr, "{}: {}\n", name_, error.what());
    return 2;
  }
}

}  // namespace fixtune::bench
