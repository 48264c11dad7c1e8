#include "quant/activation_split.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <limits>

#include "fixtune/core/parallel.h"
#include "quant/outlier_digits.h"
#include "quant/row_quantizer.h"
#include "quant/split_steps.h"
#include "quant/spread_rule.h"

namespace fixtune {

using row_kernels::MagnitudeBits;

bool moves_columns(const Recipe& recipe) {
  return recipe.outliers == OutlierTreatment::UnifiedScale && recipe.isolation == Isolation::Column;
}

/// What one thread writes on while it splits rows.
struct ActivationSplit::Scratch {
  explicit Scratch(Index cols) : positions(cols), largest_of_stretches(row_kernels::stretches_of(cols)) {}

  AlignedBuffer<float> produced;          ///< the rows of a stretch, where X is not in memory
  AlignedBuffer<std::int32_t> positions;  ///< of a row's outliers
  AlignedBuffer<MagnitudeBits> largest_of_stretches;
  WorkspaceVector<std::int16_t> codes;    ///< of a row's outliers

  std::int16_t* codes_for(std::size_t count) {
    if (codes.size() < count) codes.resize(count);
    return codes.data();
  }
};

ActivationSplit::ActivationSplit(const ActivationSource& x, const Recipe& recipe, const RandomStream& random,
                                 std::string_view name)
    : x_(x), recipe_(recipe), random_(random), name_(name), stretches_(x.rows, x.cols) {
  // Positions are 32 bits, and are counted past the end by less than a stretch.
  constexpr Index most = std::numeric_limits<std::int32_t>::max() - row_kernels::stretch;
  if (x.rows > most || x.cols > most) fail("{}: [{}, {}] is too large to split", name, x.rows, x.cols);
  validate(recipe, name);
  largest_.resize(static_cast<std::size_t>(x.rows));
  rest_.resize(static_cast<std::size_t>(x.rows));
  holds_.resize(static_cast<std::size_t>(x.cols));
  result_.treatment = recipe.outliers;
  result_.inliers = allocate_codes(x.rows, x.cols, recipe.format_x());
  if (recipe.format_x().bits <= 8) result_.inliers.row_sums.resize(static_cast<std::size_t>(x.rows));
}

template <typename Body>
void ActivationSplit::for_stretches(Body body) {
  parallel_for(stretches_.size(), 1, [&](Index begin, Index end) {
    Scratch scratch(x_.cols);
    for (Index i = begin; i < end; ++i) {
      OutlierRows& rows = stretches_[i];
      body(rows, x_.stretch(rows.begin, rows.end, scratch.produced), scratch);
    }
  });
}

void ActivationSplit::find(OutlierRows& rows, const RowsInMemory& x, Scratch& scratch) {
  for (Index r = rows.begin; r < rows.end; ++r)
    rows.set_gamma(r, recipe_.gamma_rule == GammaRule::RowRms ? recipe_.gamma * spread_of(x.row(r), x_.cols)
                                                              : recipe_.gamma);
  find_outliers(x, x_.cols, rows, {scratch.positions.data(), scratch.largest_of_stretches.data()},
                largest_.data(), rest_.data());
  // Read first: a line that every thread only reads stays with all of them.
  for (const std::int32_t column : rows.columns())
    if (const std::atomic_ref holds(holds_[static_cast<std::size_t>(column)]); holds.load(std::memory_order_relaxed) == 0)
      holds.store(1, std::memory_order_relaxed);
  if (tiled()) rows.split();
}

/// Column isolation: every element of a column that holds an outlier counts as one.
void ActivationSplit::move_columns() {
  WorkspaceVector<std::int32_t> columns;
  for (std::size_t c = 0; c < holds_.size(); ++c)
    if (holds_[c] != 0) columns.push_back(static_cast<std::int32_t>(c));
  for_stretches([&](OutlierRows& rows, const RowsInMemory& x, Scratch&) {
    rows.clear();
    for (Index r = rows.begin; r < rows.end; ++r)
      rows.append(r, columns.data(), static_cast<std::int32_t>(columns.size()), x.row(r));
  });
}

/// The largest magnitude of what stays INT8: inliers, and the remainders of split outliers.
void ActivationSplit::measure(OutlierRows& rows, const RowsInMemory& x) {
  if (moves_columns(recipe_)) return measure_without_columns(rows, x);
  for (Index r = rows.begin; r < rows.end; ++r) {
    MagnitudeBits& most = rest_[static_cast<std::size_t>(r)];  // of the inliers, as found
    if (recipe_.outliers == OutlierTreatment::Untreated) most = largest_[static_cast<std::size_t>(r)];
    if (tiled() && rows.count_of(r) > 0)
      most = std::max(most, row_kernels::max_magnitude_bits(rows.remainders_of(r).data(),
                                                            static_cast<Index>(rows.count_of(r))));
  }
}

/// Where whole columns leave, inliers leave with them.
void ActivationSplit::measure_without_columns(OutlierRows& rows, const RowsInMemory& x) {
  AlignedBuffer<float> scratch(x_.cols);
  for (Index r = rows.begin; r < rows.end; ++r) {
    rest_[static_cast<std::size_t>(r)] =
        row_kernels::max_magnitude_bits(row_without(rows.columns_of(r), x.row(r), x_.cols, scratch.data()), x_.cols);
  }
}

/// The row's codes, its outliers clamped, then the outliers' own: few against the row, so that nothing is copied.
void ActivationSplit::encode(OutlierRows& rows, const RowsInMemory& x, Scratch& scratch) {
  for (Index r = rows.begin; r < rows.end; ++r) {
    encode_row(x.row(r), r, random_, result_.inliers, x.coming(r));
    if (recipe_.outliers != OutlierTreatment::Untreated && rows.count_of(r) > 0) encode_outliers(rows, r, scratch);
  }
}

void ActivationSplit::encode_outliers(OutlierRows& rows, Index r, Scratch& scratch) {
  FixedPointTensor& q = result_.inliers;
  const std::size_t count = rows.count_of(r);
  const std::int32_t* columns = rows.columns_of(r).data();
  std::int16_t* codes = scratch.codes_for(count);
  if (tiled())
    encode_elements(rows.remainders_of(r), columns, q.step(r), q.format, random_, element(r), codes);
  else
    std::fill_n(codes, count, std::int16_t{0});
  if (q.format.bits > 8) {
    for (std::size_t i = 0; i < count; ++i) q.codes16[r * x_.cols + columns[i]] = codes[i];
    return;
  }
  std::int32_t& sum = q.row_sums[static_cast<std::size_t>(r)];
  for (std::size_t i = 0; i < count; ++i) {
    std::int8_t& code = q.codes8[r * x_.cols + columns[i]];
    sum += codes[i] - code;
    code = static_cast<std::int8_t>(codes[i]);
  }
}

/// Nothing is shared between rows: each stretch is read once from memory.
void ActivationSplit::split_each_alone(OutlierRows& rows, const RowsInMemory& x, Scratch& scratch) {
  find(rows, x, scratch);
  measure(rows, x);
  choose_row_steps(rows, rest_.data(), recipe_, result_.inliers);
  encode(rows, x, scratch);
}

void ActivationSplit::split_stretches(Index first, Index last) {
  Scratch scratch(x_.cols);
  for (Index i = first; i < last; ++i) {
    OutlierRows& rows = stretches_[i];
    split_each_alone(rows, x_.stretch(rows.begin, rows.end, scratch.produced), scratch);
  }
}

void ActivationSplit::split_each_row() {
  for_stretches([&](OutlierRows& rows, const RowsInMemory& x, Scratch& scratch) { split_each_alone(rows, x, scratch); });
  check(0, stretches());
}

void ActivationSplit::split_as_one() {
  for_stretches([&](OutlierRows& rows, const RowsInMemory& x, Scratch& scratch) { find(rows, x, scratch); });
  check(0, stretches());
  count();
  if (moves_columns(recipe_)) move_columns();
  for_stretches([&](OutlierRows& rows, const RowsInMemory& x, Scratch&) { measure(rows, x); });
  if (recipe_.block == Block::Tensor)
    choose_tensor_step(stretches_, rest_, recipe_, result_.inliers);
  else
    for_stretches([&](OutlierRows& rows, const RowsInMemory&, Scratch&) {
      choose_row_steps(rows, rest_.data(), recipe_, result_.inliers);
    });
  for_stretches([&](OutlierRows& rows, const RowsInMemory& x, Scratch& scratch) { encode(rows, x, scratch); });
}

void ActivationSplit::check(Index first, Index last) const {
  AlignedBuffer<float> produced;
  for (Index s = first; s < last; ++s)
    for (Index r = stretches_[s].begin; r < stretches_[s].end; ++r)
      if (largest_[static_cast<std::size_t>(r)] >= row_kernels::infinity_bits)
        check_finite(x_.stretch(r, r + 1, produced).row(r), x_.cols, r, name_);
  if (!tiled() || largest_digit(stretches_, first, last) <= digit_limit) return;
  for (Index s = first; s < last; ++s) {
    const OutlierRows& rows = stretches_[s];
    for (Index r = rows.begin; r < rows.end; ++r)
      for (std::size_t i = rows.first_of(r); i < rows.first_of(r + 1); ++i)
        if (std::abs(rows.digits()[i]) > digit_limit)
          fail("{}: the value {} at row {}, column {} is past two INT8 planes of outlier digits (gamma {} reaches {})",
               name_, rows.values()[i], r, rows.columns()[i], rows.gamma_of(r),
               2.0F * rows.gamma_of(r) * static_cast<float>(digit_limit));
  }
}

void ActivationSplit::count() {
  OutlierStatistics& statistics = result_.statistics;
  statistics.elements = x_.rows * x_.cols;
  for (const OutlierRows& rows : stretches_) statistics.outliers += static_cast<Index>(rows.size());
  statistics.outlier_columns = std::count(holds_.begin(), holds_.end(), std::uint8_t{1});
  if (!largest_.empty())
    statistics.largest = std::bit_cast<float>(*std::max_element(largest_.begin(), largest_.end()));
}

Index ActivationSplit::first_row(Index stretch) const {
  return stretch < stretches() ? stretches_[stretch].begin : x_.rows;
}

WorkspaceVector<SparseDigit> ActivationSplit::checked_digits(Index first, Index last) const {
  check(first, last);
  return tiled() ? digits_of(stretches_, first, last) : WorkspaceVector<SparseDigit>();
}

QuantizedActivation ActivationSplit::finish() {
  count();
  return joined();
}

QuantizedActivation ActivationSplit::joined() {
  if (!result_.inliers.steps.empty())
    result_.statistics.step = *std::max_element(result_.inliers.steps.begin(), result_.inliers.steps.end());
  gather_digits(stretches_, recipe_, random_, result_);
  return std::move(result_);
}

QuantizedActivation ActivationSplit::run() {
  if (quantises_each_row_alone(recipe_)) {
    split_each_row();
    return finish();
  }
  split_as_one();
  return joined();
}

}  // namespace fixtune
