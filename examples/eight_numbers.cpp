// Eight activations, two of them outliers, on their way through each treatment: a table, and the guide's picture.
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "fixtune/io/file.h"
#include "fixtune/linear/linear.h"
#include "fixtune/report/svg_document.h"
#include "fixtune/report/table.h"
#include "program/run.h"

namespace {

using namespace fixtune;

constexpr Index count = 8;
constexpr std::array<float, count> activations = {0.4F, -1.3F, 2.2F, 42.6F, -0.7F, 4.3F, -6.5F, 0.9F};
/// Multiples of 1/256, which a power-of-two step leaves as they are: what is off is the activations'.
constexpr std::array<float, count> weights = {0.3125F,   -0.125F, 0.25F,     0.0390625F,
                                              -0.40625F, 0.1875F, -0.09375F, 0.21875F};

/// One line of the picture: what it shows of each of the eight.
struct Line {
  std::string label;
  std::array<std::string, count> cells;
};

/// A treatment's lines, and the product it gives.
struct Part {
  std::string title;
  std::vector<Line> lines;
  double product = 0.0;
};

std::string number(double value) { return fmt::format("{:.4g}", value); }

template <typename Value>
Line line(std::string label, Value&& value) {
  Line l{std::move(label), {}};
  for (Index c = 0; c < count; ++c) l.cells[static_cast<std::size_t>(c)] = value(c);
  return l;
}

ConstMatrixMap row_of(const std::array<float, count>& values) { return map_of(values.data(), 1, count, count); }

/// Each digit at its place; 0 elsewhere.
std::array<std::int32_t, count> digits_of(const QuantizedActivation& q) {
  std::array<std::int32_t, count> digits{};
  for (const SparseDigit& d : q.digits) digits[static_cast<std::size_t>(d.column)] = d.digit;
  return digits;
}

/// "step 1/16" where that is exact.
std::string step_words(double step) {
  const double inverse = 1.0 / step;
  return step < 1.0 && inverse == std::round(inverse) ? fmt::format("step 1/{:.0f}", inverse)
                                                      : fmt::format("step {:.4g}", step);
}

void add_digits(const QuantizedActivation& q, Part& part) {
  const auto digits = digits_of(q);
  const auto digit = [&](Index c) { return digits[static_cast<std::size_t>(c)]; };
  if (q.treatment == OutlierTreatment::UnifiedScale)
    part.lines.push_back(line(fmt::format("X12, {}", step_words(q.digit_step)),
                              [&](Index c) { return digit(c) == 0 ? "" : std::to_string(digit(c)); }));
  if (q.treatment != OutlierTreatment::TiledSplit) return;
  part.lines.push_back(line("k', sparse", [&](Index c) { return digit(c) == 0 ? "" : std::to_string(digit(c)); }));
  part.lines.push_back(line(fmt::format("X8 + {} k'", q.digit_unit), [&](Index c) {
    return std::to_string(q.inliers.code(0, c) + q.digit_unit * digit(c));
  }));
}

Part part_of(const std::string& title, Recipe recipe) {
  recipe.rounding = Rounding::Nearest;  // so that the eye can follow
  LinearContext context;
  context.save = false;
  const LinearInput input = quantize_input(row_of(activations), recipe, context);
  const QuantizedActivation& q = *input.forward;
  Part part{title, {}, 0.0};
  part.lines.push_back(line(fmt::format("X8, {}", step_words(q.inliers.steps[0])),
                            [&](Index c) { return std::to_string(q.inliers.code(0, c)); }));
  add_digits(q, part);
  const Tensor value = dequantize(q);
  part.lines.push_back(line("stands for", [&](Index c) { return number(value(0, c)); }));
  const QuantizedWeight weight = prepare_weight(row_of(weights), recipe, context);
  part.product = linear_forward(input, weight, nullptr, context)(0, 0);
  return part;
}

double exact_product() {
  double sum = 0.0;
  for (std::size_t c = 0; c < activations.size(); ++c) sum += double{activations[c]} * weights[c];
  return sum;
}

std::vector<Part> all_parts() {
  return {part_of("Untreated (int8): one step, set by the largest", preset("int8")),
          part_of("Approach 1: outliers in INT12, with a step of their own", preset("approach1")),
          part_of("Approach 2: x = r + 10 k, r and k in INT8", preset("approach2")),
          part_of("rowwise: the same split, no code wasted", preset("rowwise"))};
}

std::string result_of(const Part& part) {
  return fmt::format("x w^T = {}, exactly {}", number(part.product), number(exact_product()));
}

std::string markdown(const std::vector<Part>& parts) {
  TextTable table;
  table.header = {"", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8"};
  const auto add = [&](const std::string& label, const std::array<std::string, count>& cells) {
    table.rows.emplace_back();
    table.rows.back().push_back(label);
    table.rows.back().insert(table.rows.back().end(), cells.begin(), cells.end());
  };
  add("x", line("", [](Index c) { return number(activations[static_cast<std::size_t>(c)]); }).cells);
  for (const Part& part : parts) {
    table.rows.push_back({part.title});
    for (const Line& l : part.lines) add(l.label, l.cells);
    table.rows.push_back({result_of(part)});
  }
  return table.markdown();
}

constexpr double label_width = 150, cell_width = 62, line_height = 26, part_gap = 30;

/// A line of the picture at height y, its cells boxed or bare; boxes of outliers stand out.
void draw(SvgDocument& svg, double y, const Line& l, bool boxed) {
  svg.text(label_width - 10, y + 17, l.label, Anchor::End);
  for (std::size_t c = 0; c < l.cells.size(); ++c) {
    const double x = label_width + static_cast<double>(c) * cell_width;
    const bool outlier = std::abs(activations[c]) > 5.0F;
    svg.text(x + cell_width / 2, y + 17, l.cells[c], Anchor::Middle);
    if (!boxed || l.cells[c].empty()) continue;
    svg.box(x + 2, y + 2, cell_width - 4, line_height - 4, outlier ? "s2" : "faint");
  }
}

std::string picture(const std::vector<Part>& parts) {
  double height = 2 * line_height;
  for (const Part& part : parts) height += part_gap + line_height * static_cast<double>(part.lines.size() + 1);
  SvgDocument svg(label_width + static_cast<double>(count) * cell_width + 10, height,
                  "Eight activations, two of them outliers, as each treatment's integers");
  double y = 8;
  draw(svg, y, line("x", [](Index c) { return number(activations[static_cast<std::size_t>(c)]); }), true);
  y += line_height;
  for (const Part& part : parts) {
    y += part_gap;
    svg.text(10, y, part.title, Anchor::Start);
    svg.text(label_width + static_cast<double>(count) * cell_width, y, result_of(part), Anchor::End);
    y += 6;
    for (const Line& l : part.lines) {
      draw(svg, y, l, l.label != "stands for");
      y += line_height;
    }
  }
  return svg.str();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Eight activations on their way through each treatment of outliers", "eight_numbers");
  std::string svg;
  app.add_option("--svg", svg, "file for the picture");
  return program::run(app, argc, argv, [&] {
    const std::vector<Part> parts = all_parts();
    if (!svg.empty()) write_file_atomically(svg, picture(parts));
    fmt::print("{}", markdown(parts));
  });
}
