#include "program/report_files.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "fixtune/core/error.h"
#include "fixtune/io/file.h"

namespace fixtune::program {
namespace {

void check_writable(const char* option, const std::string& file) {
  if (file.empty()) return;
  const std::filesystem::path folder = std::filesystem::absolute(file).parent_path();
  if (std::filesystem::is_directory(file)) fail("{}: {} is a folder", option, file);
  if (!std::filesystem::is_directory(folder)) fail("{}: the folder of {} does not exist", option, file);
  if (access(folder.c_str(), W_OK) != 0) fail("{}: {} is not writable", option, folder.string());
}

}  // namespace

void ReportFiles::add_options(CLI::App& app) {
  app.add_option("--json", json, "file for the figures");
  app.add_option("--markdown", markdown, "file for the tables (default: standard output)");
  app.add_option("--svg", svg, "file for the plot");
}

void ReportFiles::check() const {
  check_writable("--json", json);
  check_writable("--markdown", markdown);
  check_writable("--svg", svg);
}

void ReportFiles::write(const Json& figures, const std::string& tables,
                        const std::function<std::string()>& plot) const {
  if (!json.empty()) write_file_atomically(json, figures.dump(1) + "\n");
  if (!svg.empty()) write_file_atomically(svg, plot());
  if (markdown.empty())
    fmt::print("{}", tables);
  else
    write_file_atomically(markdown, tables);
}

}  // namespace fixtune::program
