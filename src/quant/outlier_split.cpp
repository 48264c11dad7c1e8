#include "fixtune/quant/outlier_split.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "fixtune/core/parallel.h"
#include "quant/outlier_rows.h"
#include "quant/row_quantizer.h"
#include "quant/spread_rule.h"

namespace fixtune {
namespace {

using row_kernels::MagnitudeBits;

/// Two INT8 planes: low + 254*high, each at most 127.
constexpr std::int32_t largest_digit = 127 * 255;

/// A step on the grid gamma / max_code / 2^shift, and the shift that makes digits count in it.
struct GridStep {
  float step = 1.0F;
  int shift = 0;
};

/// The finest grid step that holds the remainders and keeps the digits in one plane; shift 0 where none does.
GridStep grid_step(float largest_rest, std::int32_t digit, const Recipe& recipe) {
  const std::int32_t max_code = recipe.format_x().max_code();
  const float coarsest = recipe.gamma / static_cast<float>(max_code);
  const std::int64_t digit_or_one = std::max(digit, 1);
  const auto fits = [&](int shift) {
    return (digit_or_one << shift) <= max_code &&
           largest_rest <= max_code * std::ldexp(static_cast<double>(coarsest), -shift);
  };
  int shift = 0;
  while (fits(shift + 1)) ++shift;
  return {std::ldexp(coarsest, -shift), shift};
}

std::int32_t largest_magnitude(std::span<const SparseDigit> digits) {
  std::int32_t largest = 0;
  for (const SparseDigit& d : digits) largest = std::max(largest, std::abs(d.digit));
  return largest;
}

/// One activation on its way to integers.
class ActivationSplit {
 public:
  ActivationSplit(ConstMatrixMap x, const Recipe& recipe, const RandomStream& random, std::string_view name);
  QuantizedActivation run();

 private:
  bool tiled() const { return recipe_.outliers == OutlierTreatment::TiledSplit; }
  bool unified() const { return recipe_.outliers == OutlierTreatment::UnifiedScale; }
  bool moves_columns() const { return unified() && recipe_.isolation == Isolation::Column; }
  const float* row(Index r) const { return x_.data() + r * x_.outerStride(); }
  float rest(Index r) const { return std::bit_cast<float>(rest_[static_cast<std::size_t>(r)]); }

  template <typename Body>
  void for_stretches(Body body);
  template <typename Body>
  void for_rows(OutlierRows& rows, Body body);

  void find(OutlierRows& rows);
  void move_columns();
  float remainder(const SparseDigit& o) const { return split_value(row(o.row)[o.column], recipe_.gamma).remainder; }
  void measure(OutlierRows& rows);
  void measure_without_columns(OutlierRows& rows);
  void choose_row_steps(OutlierRows& rows);
  void choose_tensor_step();
  void encode(OutlierRows& rows);
  void split_each_row();
  void split_as_one();
  void check() const;
  void count();
  void join_digits();
  void choose_digit_unit();
  void encode_unified_digits();

  ConstMatrixMap x_;
  const Recipe& recipe_;
  RandomStream random_;
  std::string_view name_;
  std::vector<OutlierRows> stretches_;
  std::vector<MagnitudeBits> largest_;  ///< of each row
  std::vector<MagnitudeBits> rest_;     ///< of each row, of what stays INT8
  QuantizedActivation result_;
};

ActivationSplit::ActivationSplit(ConstMatrixMap x, const Recipe& recipe, const RandomStream& random,
                                 std::string_view name)
    : x_(x), recipe_(recipe), random_(random), name_(name), stretches_(stretches_of(x.rows())) {
  constexpr Index most = std::numeric_limits<std::int32_t>::max();
  if (x.rows() > most || x.cols() > most) fail("{}: [{}, {}] is too large to split", name, x.rows(), x.cols());
  validate(recipe, name);
  largest_.resize(static_cast<std::size_t>(x.rows()));
  rest_.resize(static_cast<std::size_t>(x.rows()));
  result_.treatment = recipe.outliers;
  result_.inliers = allocate_codes(x.rows(), x.cols(), recipe.format_x());
}

template <typename Body>
void ActivationSplit::for_stretches(Body body) {
  parallel_for(static_cast<Index>(stretches_.size()), 1, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) body(stretches_[static_cast<std::size_t>(i)]);
  });
}

template <typename Body>
void ActivationSplit::for_rows(OutlierRows& rows, Body body) {
  std::size_t from = 0;
  for (Index r = rows.begin; r < rows.end; ++r) body(r, outliers_of_row(rows, r, from));
}

void ActivationSplit::find(OutlierRows& rows) {
  find_outliers(x_, recipe_.gamma, rows, largest_.data(), rest_.data());
  if (!tiled()) return;
  for (SparseDigit& o : rows.outliers) o.digit = split_value(row(o.row)[o.column], recipe_.gamma).digit;
}

/// Column isolation: every element of a column that holds an outlier counts as one.
void ActivationSplit::move_columns() {
  std::vector<bool> holds(static_cast<std::size_t>(x_.cols()), false);
  for (const OutlierRows& rows : stretches_)
    for (const SparseDigit& o : rows.outliers) holds[static_cast<std::size_t>(o.column)] = true;
  for_stretches([&](OutlierRows& rows) {
    rows.outliers.clear();
    for (Index r = rows.begin; r < rows.end; ++r)
      for (std::size_t c = 0; c < holds.size(); ++c)
        if (holds[c]) rows.outliers.push_back({static_cast<std::int32_t>(r), static_cast<std::int32_t>(c), 0});
  });
}

/// The largest magnitude of what stays INT8: inliers, and the remainders of split outliers.
void ActivationSplit::measure(OutlierRows& rows) {
  if (moves_columns()) return measure_without_columns(rows);
  for_rows(rows, [&](Index r, std::span<const SparseDigit> outliers) {
    MagnitudeBits& most = rest_[static_cast<std::size_t>(r)];  // of the inliers, as found
    if (recipe_.outliers == OutlierTreatment::Untreated) most = largest_[static_cast<std::size_t>(r)];
    if (!tiled()) return;
    for (const SparseDigit& o : outliers) most = std::max(most, std::bit_cast<MagnitudeBits>(std::abs(remainder(o))));
  });
}

/// Where whole columns leave, inliers leave with them.
void ActivationSplit::measure_without_columns(OutlierRows& rows) {
  AlignedBuffer<float> scratch(x_.cols());
  for_rows(rows, [&](Index r, std::span<const SparseDigit> outliers) {
    rest_[static_cast<std::size_t>(r)] = row_kernels::max_magnitude_bits(
        row_without(outliers, row(r), x_.cols(), scratch.data()), x_.cols());
  });
}

void ActivationSplit::choose_row_steps(OutlierRows& rows) {
  for_rows(rows, [&](Index r, std::span<SparseDigit> outliers) {
    float& step = result_.inliers.steps[static_cast<std::size_t>(r)];
    if (!tiled() || outliers.empty()) {
      step = step_for(rest(r), recipe_.format_x().bits, recipe_.step);
    } else if (recipe_.step == StepKind::PowerOfTwo) {
      // One step for all rows with outliers, so that 2 gamma is worth the same integer in each of them.
      step = step_for(recipe_.gamma, recipe_.format_x().bits, recipe_.step);
    } else {
      const GridStep grid = grid_step(rest(r), largest_magnitude(outliers), recipe_);
      step = grid.step;
      for (SparseDigit& o : outliers) o.digit *= 1 << grid.shift;
    }
  });
}

void ActivationSplit::choose_tensor_step() {
  const auto bits = rest_.empty() ? 0 : *std::max_element(rest_.begin(), rest_.end());
  const auto largest = std::bit_cast<float>(bits);
  float& step = result_.inliers.steps[0];
  step = step_for(largest, recipe_.format_x().bits, recipe_.step);
  std::int32_t digit = 0;
  for (const OutlierRows& rows : stretches_) digit = std::max(digit, largest_magnitude(rows.outliers));
  if (!tiled() || recipe_.step == StepKind::PowerOfTwo || digit == 0) return;
  const GridStep grid = grid_step(largest, digit, recipe_);
  step = grid.step;
  for (OutlierRows& rows : stretches_)
    for (SparseDigit& o : rows.outliers) o.digit *= 1 << grid.shift;
}

/// The row's codes, its outliers clamped, then the outliers' own: few against the row, so that nothing is copied.
void ActivationSplit::encode(OutlierRows& rows) {
  for_rows(rows, [&](Index r, std::span<const SparseDigit> outliers) {
    FixedPointTensor& q = result_.inliers;
    encode_row(row(r), r, random_, q);
    if (recipe_.outliers == OutlierTreatment::Untreated) return;
    for (const SparseDigit& o : outliers) {
      const Index element = r * x_.cols() + o.column;
      const std::int32_t code = tiled() ? encode_value(remainder(o), q.step(r), q.format, random_,
                                                       static_cast<std::uint64_t>(element))
                                        : 0;
      if (q.format.bits <= 8)
        q.codes8[element] = static_cast<std::int8_t>(code);
      else
        q.codes16[element] = static_cast<std::int16_t>(code);
    }
  });
}

/// Nothing is shared between rows: each stretch is read once from memory.
void ActivationSplit::split_each_row() {
  for_stretches([&](OutlierRows& rows) {
    find(rows);
    measure(rows);
    choose_row_steps(rows);
    encode(rows);
  });
  check();
  count();
}

void ActivationSplit::split_as_one() {
  for_stretches([&](OutlierRows& rows) { find(rows); });
  check();
  count();
  if (moves_columns()) move_columns();
  for_stretches([&](OutlierRows& rows) { measure(rows); });
  if (recipe_.block == Block::Tensor)
    choose_tensor_step();
  else
    for_stretches([&](OutlierRows& rows) { choose_row_steps(rows); });
  for_stretches([&](OutlierRows& rows) { encode(rows); });
}

void ActivationSplit::check() const {
  check_finite(x_, largest_.data(), name_);
  if (!tiled()) return;
  for (const OutlierRows& rows : stretches_)
    for (const SparseDigit& o : rows.outliers)
      if (std::abs(o.digit) > largest_digit)
        fail("{}: the value {} at row {}, column {} is past two INT8 planes of outlier digits (gamma {} reaches {})",
             name_, row(o.row)[o.column], o.row, o.column, recipe_.gamma,
             2.0F * recipe_.gamma * static_cast<float>(largest_digit));
}

void ActivationSplit::count() {
  OutlierStatistics& statistics = result_.statistics;
  statistics.elements = x_.rows() * x_.cols();
  std::vector<bool> holds(static_cast<std::size_t>(x_.cols()), false);
  for (const OutlierRows& rows : stretches_) {
    statistics.outliers += static_cast<Index>(rows.outliers.size());
    for (const SparseDigit& o : rows.outliers) holds[static_cast<std::size_t>(o.column)] = true;
  }
  statistics.outlier_columns = std::count(holds.begin(), holds.end(), true);
  if (!largest_.empty())
    statistics.largest = std::bit_cast<float>(*std::max_element(largest_.begin(), largest_.end()));
}

void ActivationSplit::join_digits() {
  std::size_t total = 0;
  for (const OutlierRows& rows : stretches_) total += rows.outliers.size();
  result_.digits.reserve(total);
  for (const OutlierRows& rows : stretches_)
    result_.digits.insert(result_.digits.end(), rows.outliers.begin(), rows.outliers.end());
}

/// What a digit is worth: an integer of the INT8 codes' steps where there is one, else a float of its own.
void ActivationSplit::choose_digit_unit() {
  if (recipe_.step == StepKind::FullRange) {
    result_.digit_unit = 2 * recipe_.format_x().max_code();
    return;
  }
  const float step = recipe_.block == Block::Tensor ? result_.inliers.steps[0]
                                                    : step_for(recipe_.gamma, recipe_.format_x().bits, recipe_.step);
  // As far as two INT8 planes reach: an activation stays a 24-bit integer.
  constexpr double most = 254.0 * largest_digit;
  const double unit = 2.0 * recipe_.gamma / step;
  if (unit == std::floor(unit) && unit * std::max(1, largest_magnitude(result_.digits)) <= most)
    result_.digit_unit = static_cast<std::int32_t>(unit);
  else
    result_.digit_step = 2.0F * recipe_.gamma;
}

/// X12 of Eq. 1: one step over all outliers.
void ActivationSplit::encode_unified_digits() {
  // The largest magnitude of all is an outlier, where there are any.
  const float largest = result_.digits.empty() ? 0.0F : result_.statistics.largest;
  result_.digit_step = step_for(largest, recipe_.outlier_bits, recipe_.step);
  Format format = recipe_.format_x();
  format.bits = recipe_.outlier_bits;
  // Random numbers that the INT8 codes have not used.
  const Index unused = x_.rows() * x_.cols();
  parallel_for(static_cast<Index>(result_.digits.size()), 4096, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      SparseDigit& d = result_.digits[static_cast<std::size_t>(i)];
      const auto element = static_cast<std::uint64_t>(unused + d.row * x_.cols() + d.column);
      d.digit = encode_value(row(d.row)[d.column], result_.digit_step, format, random_, element);
    }
  });
}

QuantizedActivation ActivationSplit::run() {
  if (recipe_.block == Block::Row && !moves_columns())
    split_each_row();
  else
    split_as_one();
  if (!result_.inliers.steps.empty())
    result_.statistics.step = *std::max_element(result_.inliers.steps.begin(), result_.inliers.steps.end());
  if (tiled() || unified()) join_digits();
  if (tiled()) choose_digit_unit();
  if (unified()) encode_unified_digits();
  return std::move(result_);
}

}  // namespace

QuantizedActivation quantize_activation(ConstMatrixMap x, const Recipe& recipe, const RandomStream& random,
                                        std::string_view name) {
  if (recipe.gamma_rule != GammaRule::Fixed) return quantize_by_spread(x, recipe, random, name);
  return ActivationSplit(x, recipe, random, name).run();
}

Tensor dequantize(const QuantizedActivation& q) {
  Tensor x = dequantize(q.inliers);
  for (const SparseDigit& d : q.digits) {
    const double step = q.inliers.step(d.row);
    const double inlier = step * q.inliers.code(d.row, d.column);
    const double worth = q.digit_unit != 0 ? step * q.digit_unit : static_cast<double>(q.digit_step);
    x(d.row, d.column) = static_cast<float>(inlier + worth * d.digit);
  }
  return x;
}

}  // namespace fixtune
