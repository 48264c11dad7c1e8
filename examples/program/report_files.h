#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "fixtune/io/json.h"

namespace fixtune::program {

/// Where a program writes its figures: --json, --markdown, --svg; what is not given is not written.
struct ReportFiles {
  std::string json, markdown, svg;

  void add_options(CLI::App& app);
  /// Refuses names that could not be written, before minutes of work go into them.
  void check() const;
  /// Writes those that were asked for; Markdown that was not goes to standard output. `plot` draws the SVG.
  void write(const Json& figures, const std::string& tables, const std::function<std::string()>& plot) const;
};

}  // namespace fixtune::program
