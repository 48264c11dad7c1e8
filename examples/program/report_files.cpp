#include "program/report_files.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "fixtune/core/error.h"
#include "fixtune/io/file.h"
#include "fixtune/report/page_blocks.h"

namespace fixtune::program {

void check_writable(const char* option, const std::string& file) {
  if (file.empty()) return;
  const std::filesystem::path folder = std::filesystem::absolute(file).parent_path();
  if (std::filesystem::is_directory(file)) fail("{}: {} is a folder", option, file);
  if (!std::filesystem::is_directory(folder)) fail("{}: the folder of {} does not exist", option, file);
  if (access(folder.c_str(), W_OK) != 0) fail("{}: {} is not writable", option, folder.string());
}

void ReportFiles::add_options(CLI::App& app) {
  app.add_option("--json", json, "file for the figures");
  app.add_option("--markdown", markdown, "file for the tables (default: standard output)");
  app.add_option("--svg", svg, "file for the plot");
  auto* page_option = app.add_option("--page", page, "Markdown page to write the tables into, between a block's marks");
  auto* block_option = app.add_option("--block", block, "name of that block: <!-- NAME --> to <!-- end NAME -->");
  page_option->needs(block_option);
  block_option->needs(page_option);
}

void ReportFiles::check() const {
  check_writable("--json", json);
  check_writable("--markdown", markdown);
  check_writable("--svg", svg);
  check_writable("--page", page);
  if (!page.empty()) replace_block(read_file(page), block, "", page);
}

void ReportFiles::write_figures(const Json& figures) const {
  if (!json.empty()) write_file_atomically(json, figures.dump(1) + "\n");
}

void ReportFiles::write(const Json& figures, const std::string& tables,
                        const std::function<std::string()>& plot) const {
  write_figures(figures);
  if (!svg.empty()) write_file_atomically(svg, plot());
  if (!markdown.empty()) write_file_atomically(markdown, tables);
  if (!page.empty()) write_file_atomically(page, replace_block(read_file(page), block, "\n" + tables, page));
  if (markdown.empty() && page.empty()) fmt::print("{}", tables);
}

}  // namespace fixtune::program
