#include "fixtune/quant/outlier_split.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <limits>

#include "fixtune/core/parallel.h"
#include "quant/outlier_digits.h"
#include "quant/outlier_rows.h"
#include "quant/row_quantizer.h"
#include "quant/split_steps.h"
#include "quant/spread_rule.h"

namespace fixtune {
namespace {

using row_kernels::MagnitudeBits;

/// What one thread writes on while it splits rows.
struct Scratch {
  AlignedBuffer<float> produced;          ///< the rows of a stretch, where X is not in memory
  AlignedBuffer<std::int32_t> positions;  ///< of a row's outliers
  AlignedBuffer<MagnitudeBits> largest_of_stretches;
  WorkspaceVector<std::int16_t> codes;    ///< of a row's outliers

  std::int16_t* codes_for(std::size_t count) {
    if (codes.size() < count) codes.resize(count);
    return codes.data();
  }
};

/// Where X comes from: memory, or a function that makes its rows.
struct ActivationSource {
  Index rows = 0, cols = 0;
  const float* data = nullptr;
  Index stride = 0;
  const RowProducer* producer = nullptr;

  RowsInMemory stretch(Index begin, Index end, AlignedBuffer<float>& produced) const {
    if (producer == nullptr) return {data + begin * stride, stride, begin, end - begin, rows};
    if (produced.size() < (end - begin) * cols) produced = AlignedBuffer<float>((end - begin) * cols);
    (*producer)(begin, end, produced.data());
    return {produced.data(), cols, begin, 0, end};
  }
};

bool moves_columns(const Recipe& recipe) {
  return recipe.outliers == OutlierTreatment::UnifiedScale && recipe.isolation == Isolation::Column;
}

/// One activation on its way to integers.
class ActivationSplit {
 public:
  ActivationSplit(const ActivationSource& x, const Recipe& recipe, const RandomStream& random, std::string_view name);
  QuantizedActivation run();

 private:
  bool tiled() const { return recipe_.outliers == OutlierTreatment::TiledSplit; }
  std::uint64_t element(Index r) const { return static_cast<std::uint64_t>(r * x_.cols); }

  template <typename Body>
  void for_stretches(Body body);

  void find(OutlierRows& rows, const RowsInMemory& x, Scratch& scratch);
  void move_columns();
  void measure(OutlierRows& rows, const RowsInMemory& x);
  void measure_without_columns(OutlierRows& rows, const RowsInMemory& x);
  void encode(OutlierRows& rows, const RowsInMemory& x, Scratch& scratch);
  void encode_outliers(OutlierRows& rows, Index r, Scratch& scratch);
  void split_each_row();
  void split_as_one();
  void check() const;
  void count();

  ActivationSource x_;
  const Recipe& recipe_;
  RandomStream random_;
  std::string_view name_;
  OutlierStretches stretches_;
  WorkspaceVector<MagnitudeBits> largest_;  ///< of each row
  WorkspaceVector<MagnitudeBits> rest_;     ///< of each row, of what stays INT8
  WorkspaceVector<std::uint8_t> holds_;     ///< of each column: 1 where it holds an outlier
  QuantizedActivation result_;
};

ActivationSplit::ActivationSplit(const ActivationSource& x, const Recipe& recipe, const RandomStream& random,
                                 std::string_view name)
    : x_(x), recipe_(recipe), random_(random), name_(name), stretches_(x.rows, x.cols) {
  constexpr Index most = std::numeric_limits<std::int32_t>::max();
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
    Scratch scratch;
    scratch.positions = AlignedBuffer<std::int32_t>(x_.cols);
    scratch.largest_of_stretches = AlignedBuffer<MagnitudeBits>(row_kernels::stretches_of(x_.cols));
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
  for (const std::int32_t column : rows.columns())
    std::atomic_ref(holds_[static_cast<std::size_t>(column)]).store(1, std::memory_order_relaxed);
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
void ActivationSplit::split_each_row() {
  for_stretches([&](OutlierRows& rows, const RowsInMemory& x, Scratch& scratch) {
    find(rows, x, scratch);
    measure(rows, x);
    choose_row_steps(rows, rest_.data(), recipe_, result_.inliers);
    encode(rows, x, scratch);
  });
  check();
  count();
}

void ActivationSplit::split_as_one() {
  for_stretches([&](OutlierRows& rows, const RowsInMemory& x, Scratch& scratch) { find(rows, x, scratch); });
  check();
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

void ActivationSplit::check() const {
  AlignedBuffer<float> produced;
  for (const OutlierRows& rows : stretches_)
    for (Index r = rows.begin; r < rows.end; ++r)
      if (largest_[static_cast<std::size_t>(r)] >= row_kernels::infinity_bits)
        check_finite(x_.stretch(r, r + 1, produced).row(r), x_.cols, r, name_);
  if (!tiled()) return;
  for (const OutlierRows& rows : stretches_)
    for (Index r = rows.begin; r < rows.end; ++r)
      for (std::size_t i = rows.first_of(r); i < rows.first_of(r + 1); ++i)
        if (std::abs(rows.digits()[i]) > digit_limit)
          fail("{}: the value {} at row {}, column {} is past two INT8 planes of outlier digits (gamma {} reaches {})",
               name_, rows.values()[i], r, rows.columns()[i], rows.gamma_of(r),
               2.0F * rows.gamma_of(r) * static_cast<float>(digit_limit));
}

void ActivationSplit::count() {
  OutlierStatistics& statistics = result_.statistics;
  statistics.elements = x_.rows * x_.cols;
  for (const OutlierRows& rows : stretches_) statistics.outliers += static_cast<Index>(rows.size());
  statistics.outlier_columns = std::count(holds_.begin(), holds_.end(), std::uint8_t{1});
  if (!largest_.empty())
    statistics.largest = std::bit_cast<float>(*std::max_element(largest_.begin(), largest_.end()));
}

QuantizedActivation ActivationSplit::run() {
  if (quantises_each_row_alone(recipe_))
    split_each_row();
  else
    split_as_one();
  if (!result_.inliers.steps.empty())
    result_.statistics.step = *std::max_element(result_.inliers.steps.begin(), result_.inliers.steps.end());
  gather_digits(stretches_, recipe_, random_, result_);
  return std::move(result_);
}

}  // namespace

bool quantises_each_row_alone(const Recipe& recipe) {
  return recipe.block == Block::Row && recipe.gamma_rule != GammaRule::TensorRms && !moves_columns(recipe);
}

QuantizedActivation quantize_activation(ConstMatrixMap x, const Recipe& recipe, const RandomStream& random,
                                        std::string_view name) {
  const ActivationSource source{x.rows(), x.cols(), x.data(), x.outerStride(), nullptr};
  if (recipe.gamma_rule != GammaRule::TensorRms) return ActivationSplit(source, recipe, random, name).run();
  validate(recipe, name);
  Recipe fixed = recipe;
  fixed.gamma_rule = GammaRule::Fixed;
  fixed.gamma *= spread_of(x);
  return ActivationSplit(source, fixed, random, name).run();
}

QuantizedActivation quantize_activation(Index rows, Index cols, const RowProducer& producer, const Recipe& recipe,
                                        const RandomStream& random, std::string_view name) {
  if (quantises_each_row_alone(recipe))
    return ActivationSplit({rows, cols, nullptr, 0, &producer}, recipe, random, name).run();
  Tensor x(rows, cols);
  parallel_for(rows, row_grain(cols), [&](Index begin, Index end) { producer(begin, end, x.row(begin)); });
  return quantize_activation(std::as_const(x).map(), recipe, random, name);
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
