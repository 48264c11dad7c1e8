#include "fixtune/report/page_blocks.h"

#include "fixtune/core/error.h"

namespace fixtune {
namespace {

std::size_t place_of(std::string_view page, const std::string& marker, std::string_view where) {
  const std::size_t place = page.find(marker);
  if (place == std::string_view::npos) fail("{}: the line {} is missing", where, marker);
  if (page.find(marker, place + 1) != std::string_view::npos) fail("{}: the line {} is there twice", where, marker);
  return place;
}

}  // namespace

std::string replace_block(std::string_view page, std::string_view name, std::string_view content,
                          std::string_view where) {
  const std::string first = fmt::format("<!-- {} -->", name);
  const std::string last = fmt::format("<!-- end {} -->", name);
  const std::size_t begin = place_of(page, first, where) + first.size();
  const std::size_t end = place_of(page, last, where);
  if (end < begin) fail("{}: {} stands before {}", where, last, first);
  return fmt::format("{}\n{}\n{}", page.substr(0, begin), content, page.substr(end));
}

}  // namespace fixtune
