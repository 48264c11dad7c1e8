#pragma once

#include <filesystem>

#include "study/plan.h"

namespace fixtune::study {

/// Where a study is rendered from and to.
struct RenderingOptions {
  std::filesystem::path results;
  std::filesystem::path published;  ///< see read_published(); empty: none
  std::filesystem::path page;       ///< Markdown with the block of the study's name, see replace_block()
};

/// Writes a study's tables into the page's block, and its plots as SVG into the folder named as the page without its
/// extension. What has not run is shown as "-"; plots appear once there is a result. Throws Error, and then leaves the
/// page as it was, where results, page or published numbers do not fit.
void render(const StudyPlan& plan, const RenderingOptions& options);

}  // namespace fixtune::study
