#pragma once

#include <string>
#include <vector>

#include "fixtune/report/point_plot.h"
#include "fixtune/report/table.h"
#include "study/published.h"
#include "study/scores.h"

namespace fixtune::study {

/// A model's results, and what they are set beside.
struct Comparison {
  std::vector<StudyTask> tasks;      ///< the columns: those the model has runs of
  std::vector<std::string> recipes;  ///< the rows: presets in their order, then others
  Scores scores;
  Published published;
};

/// The comparison of one of the plan's models. Throws Error as Scores::read() and scoring_of() do.
Comparison compare_recipes(const StudyPlan& plan, const std::string& model, const std::filesystem::path& results,
                           const Published& published);

/// What a recipe may lose on the mean, in points.
constexpr double largest_loss = 0.5;

/// Metrics: mean +- standard deviation (number of seeds), the published value in a row of its own below.
TextTable metrics_table(const Comparison& comparison);
/// Losses against FP32: mean +- standard error (number of seeds), and of the GLUE tasks together; the published loss
/// below, and under `rowwise` whether the loss less one standard error is at most largest_loss.
TextTable loss_table(const Comparison& comparison);

PointPlot score_plot(const Comparison& comparison, const std::string& model);
PointPlot loss_plot(const Comparison& comparison, const std::string& model);

}  // namespace fixtune::study
