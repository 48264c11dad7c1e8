#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "fixtune/io/json.h"

namespace fixtune::program {

/// Refuses a file that could not be written, before minutes of work go into it; an empty name is no file.
void check_writable(const char* option, const std::string& file);

/// Where a program writes its figures: --json, --markdown, --svg, and the block of a page: --page, --block; what is not
/// given is not written.
struct ReportFiles {
  std::string json, markdown, svg, page, block;

  void add_options(CLI::App& app);
  /// Refuses names that could not be written, before minutes of work go into them.
  void check() const;
  /// Writes the figures alone, so far.
  void write_figures(const Json& figures) const;
  /// Writes those that were asked for; tables asked for nowhere go to standard output. `plot` draws the SVG.
  void write(const Json& figures, const std::string& tables, const std::function<std::string()>& plot) const;
};

}  // namespace fixtune::program
