#include "linear/output_gradient.h"

#include <algorithm>
#include <bit>
#include <string>

#include "fixtune/core/parallel.h"
#include "linear/gradient_kernels.h"
#include "quant/fetch.h"
#include "quant/row_quantizer.h"

namespace fixtune {
namespace {

using gradient_kernels::RowPass;

// Rows whose column sums and maxima are taken together; fixed, so that db has the same bits on any number of threads.
constexpr Index block_rows = 64;

Index blocks_of(Index rows) { return (rows + block_rows - 1) / block_rows; }

/// Per block of rows, what its columns come to.
struct ColumnParts {
  AlignedBuffer<std::int32_t> largest;  ///< `[blocks, out]`
  AlignedBuffer<float> sums;            ///< `[blocks, out]`
};

class Quantizer {
 public:
  Quantizer(ConstMatrixMap dy, const OutputGradientRequest& request, const Recipe& recipe, const LinearContext& context)
      : dy_(dy.data()), stride_(dy.outerStride()), rows_(dy.rows()), cols_(dy.cols()), request_(request),
        token_format_(recipe.format_dx()), feature_format_(recipe.format_dw()), context_(context),
        row_largest_(static_cast<std::size_t>(dy.rows())) {
    if (request.by_token) {
      result_.by_token = allocate_codes(rows_, cols_, token_format_);
      result_.by_token.row_sums.resize(static_cast<std::size_t>(rows_));
    }
    if (request.by_feature && row_steps()) parts_.largest = AlignedBuffer<std::int32_t>(blocks_of(rows_) * cols_);
    if (request.bias_gradient != nullptr) parts_.sums = AlignedBuffer<float>(blocks_of(rows_) * cols_);
  }

  OutputGradient run() {
    read();
    check_finite(ConstMatrixMap(dy_, rows_, cols_, Eigen::OuterStride<>(stride_)), row_largest_.data(),
                 context_.name_of("output gradient"));
    if (request_.bias_gradient != nullptr) join_sums();
    if (!row_steps()) encode_as_one();
    if (request_.by_feature) encode_columns();
    return std::move(result_);
  }

 private:
  bool row_steps() const { return token_format_.block == Block::Row; }
  const float* row(Index m) const { return dy_ + m * stride_; }

  void read() {
    const RandomStream random = context_.stream("dy.dx");
    parallel_for(blocks_of(rows_), 1, [&](Index begin, Index end) {
      AlignedBuffer<float> scaled(request_.column_scale != nullptr ? cols_ : 0);
      for (Index b = begin; b < end; ++b) read_block(b, scaled, random);
    });
  }

  void read_block(Index block, AlignedBuffer<float>& scaled, const RandomStream& random) {
    RowPass pass;
    pass.count = cols_;
    pass.column_scale = request_.column_scale;
    pass.scaled = scaled.size() > 0 && request_.by_token ? scaled.data() : nullptr;
    if (parts_.largest.size() > 0) {
      pass.column_largest = parts_.largest.data() + block * cols_;
      std::fill_n(pass.column_largest, cols_, 0);
    }
    if (parts_.sums.size() > 0) {
      pass.column_sum = parts_.sums.data() + block * cols_;
      std::fill_n(pass.column_sum, cols_, 0.0F);
    }
    for (Index m = block * block_rows; m < std::min((block + 1) * block_rows, rows_); ++m) {
      pass.dy = row(m);
      const Index coming = m + row_kernels::rows_ahead(cols_);
      pass.next = coming < rows_ ? row(coming) : nullptr;
      pass.row_scale = request_.row_scale != nullptr ? request_.row_scale[m] : 1.0F;
      const std::int32_t largest = gradient_kernels::read_row(pass);
      row_largest_[static_cast<std::size_t>(m)] = largest;
      if (!request_.by_token || !row_steps()) continue;
      result_.by_token.steps[static_cast<std::size_t>(m)] =
          step_for(std::bit_cast<float>(largest), token_format_.bits, token_format_.step);
      encode_row(pass.scaled != nullptr ? pass.scaled : pass.dy, m, random, result_.by_token);
    }
  }

  void join_sums() {
    std::fill_n(request_.bias_gradient, cols_, 0.0F);
    for (Index b = 0; b < blocks_of(rows_); ++b)
      gradient_kernels::add(request_.bias_gradient, parts_.sums.data() + b * cols_, cols_);
  }

  /// One step over the tensor, known once all of it has been read.
  void encode_as_one() {
    std::int32_t largest = 0;
    for (const std::int32_t bits : row_largest_) largest = std::max(largest, bits);
    const auto step = [&](const Format& format) {
      return step_for(std::bit_cast<float>(largest), format.bits, format.step);
    };
    if (request_.by_feature) column_steps_.assign(1, step(feature_format_));
    if (!request_.by_token) return;
    result_.by_token.steps[0] = step(token_format_);
    const RandomStream random = context_.stream("dy.dx");
    parallel_for(rows_, row_grain(cols_), [&](Index begin, Index end) {
      for (Index m = begin; m < end; ++m) encode_row(row(m), m, random, result_.by_token);
    });
  }

  void encode_columns() {
    if (row_steps()) column_steps_ = column_steps(parts_.largest, blocks_of(rows_), cols_, feature_format_);
    ColumnEncoder& encoder = result_.columns_left.emplace(
        ColumnEncoder::Source{dy_, stride_, rows_, cols_, request_.row_scale, feature_format_,
                                      context_.stream(request_.column_stream)},
        std::move(column_steps_));
    if (request_.columns_later) return;
    encoder.run_all();
    result_.by_feature = encoder.take();
    result_.columns_left.reset();
  }

  const float* dy_;
  Index stride_, rows_, cols_;
  const OutputGradientRequest& request_;
  Format token_format_, feature_format_;
  const LinearContext& context_;
  WorkspaceVector<std::int32_t> row_largest_;
  ColumnParts parts_;
  WorkspaceVector<float> column_steps_;
  OutputGradient result_;
};

}  // namespace

OutputGradientRequest backward_request(const QuantizedWeight& weight, const LinearInput& saved) {
  OutputGradientRequest request;
  const bool rows = weight.recipe.block == Block::Row;
  if (rows && weight.recipe.backward == BackwardCodes::Folded) request.column_scale = weight.codes.steps.data();
  if (rows && saved.backward && !saved.backward_by_column) request.row_scale = saved.backward->inliers.steps.data();
  return request;
}

OutputGradient quantize_output_gradient(ConstMatrixMap dy, const OutputGradientRequest& request, const Recipe& recipe,
                                        const LinearContext& context) {
  if (takes_planes(recipe)) return quantize_gradient_in_planes(dy, request, recipe, context);
  return Quantizer(dy, request, recipe, context).run();
}

void integer_bias_gradient(ConstMatrixMap dy, const Recipe& recipe, const LinearContext& context, float* db) {
  OutputGradientRequest request;
  request.by_feature = true;
  request.column_stream = "dy.db";
  const ColumnCodes columns = quantize_output_gradient(dy, request, recipe, context).by_feature;
  for (Index n = 0; n < dy.cols(); ++n) {
    std::int64_t sum = 0;
    for (Index m = 0; m < dy.rows(); ++m) sum += columns.codes.code(m, n);
    db[n] = static_cast<float>(sum) * columns.steps[columns.steps.size() == 1 ? 0 : static_cast<std::size_t>(n)];
  }
}

void float_bias_gradient(ConstMatrixMap dy, float* db) {
  const Index blocks = blocks_of(dy.rows());
  AlignedBuffer<float> sums(blocks * dy.cols());
  parallel_for(blocks, 1, [&](Index begin, Index end) {
    for (Index b = begin; b < end; ++b) {
      float* sum = sums.data() + b * dy.cols();
      std::fill_n(sum, dy.cols(), 0.0F);
      for (Index m = b * block_rows; m < std::min((b + 1) * block_rows, dy.rows()); ++m)
        gradient_kernels::add(sum, dy.data() + m * dy.outerStride(), dy.cols());
    }
  });
  std::fill_n(db, dy.cols(), 0.0F);
  for (Index b = 0; b < blocks; ++b) gradient_kernels::add(db, sums.data() + b * dy.cols(), dy.cols());
}

}  // namespace fixtune
