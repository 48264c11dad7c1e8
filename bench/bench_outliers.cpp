// Outliers beyond isolated ones: joined code by code as rows are stored, or as a dense product of their own over the
// rows and columns that hold them; for Approach 1 (INT12 codes) and for Approach 2 (a dense INT8 plane of digits).
#include <fmt/format.h>

#include <string>
#include <vector>

#include "fixtune/gemm/packed_product.h"
#include "linear/unified_scale.h"
#include "program/program.h"
#include "program/rounds.h"
#include "program/synthetic.h"

namespace {

using namespace fixtune;
using namespace fixtune::bench;

struct Options {
  Index tokens = 4096, in = 768, out = 768;
};
Options options;

/// Outliers in some columns, the same number in every row.
struct Pattern {
  Index terms;    ///< in a row
  Index columns;  ///< that hold some

  double share() const { return static_cast<double>(terms) / static_cast<double>(columns); }
};
constexpr Pattern patterns[] = {{2, 40},   {4, 16},  {4, 4},     {8, 32},    {8, 8},     {16, 64},
                                {16, 32},  {16, 16}, {32, 128},  {32, 64},   {32, 32},   {64, 256},
                                {64, 64},  {128, 256}, {128, 128}, {256, 512}, {256, 256}, {512, 512}};

std::vector<SparseDigit> digits_of(const Pattern& pattern, std::int32_t digit) {
  std::vector<SparseDigit> digits;
  const Index apart = options.in / pattern.columns;
  for (Index r = 0; r < options.tokens; ++r)
    for (Index t = 0; t < pattern.terms; ++t) {
      // Each row has its turn of the columns; within a row they come in order.
      const Index first = t * pattern.columns / pattern.terms;
      const Index of_term = (t + 1) * pattern.columns / pattern.terms - first;
      digits.push_back({static_cast<std::int32_t>(r), static_cast<std::int32_t>((first + r % of_term) * apart), digit});
    }
  return digits;
}

/// What all ways multiply.
struct Operands {
  AlignedBuffer<std::int8_t> x = normal_codes(options.tokens * options.in, 1);
  AlignedBuffer<std::int8_t> w = normal_codes(options.out * options.in, 2);
  FixedPointTensor w12;
  PackedRows rows = PackedRows::view({x.data(), options.tokens, options.in, options.in});
  PackedColumns columns = PackedColumns::pack({w.data(), options.out, options.in, options.in}, Transpose::Yes);
  Tensor y = Tensor(options.tokens, options.out);

  Operands() {
    const Tensor values = normal_values(options.out, options.in, 3, 0.04F);
    w12 = quantize(values.map(), {.bits = 12, .block = Block::Tensor}, RandomStream({0, 0, 0}, 0), "w");
  }
  ProductOutput output() {
    ProductOutput out;
    out.y = y.data();
    out.stride = options.out;
    return out;
  }
};

struct Row {
  Pattern pattern;
  Medians medians;
};
std::vector<Row> rows;

void measure(benchmark::State& state, const Pattern& pattern) {
  Operands o;
  const std::vector<SparseDigit> codes = digits_of(pattern, 1500), digits = digits_of(pattern, 3);
  const SparseRows sparse(codes, options.tokens, options.in, 0.01F);
  const ProductPart alone{&o.columns, o.output()};
  const auto approach1 = [&] {
    const SparseColumns weights(o.w12, sparse);
    const ProductPart part{&o.columns, o.output(), &weights};
    packed_product(o.rows, {}, std::span(&part, 1), sparse);
  };
  const auto approach1_tile = [&] {
    packed_product(o.rows, {}, std::span(&alone, 1));
    add_outlier_tile(sparse, o.w12, o.y.map());
  };
  const DigitRows digit_rows(digits, options.tokens, 254);
  const auto approach2 = [&] { packed_product(o.rows, digit_rows, std::span(&alone, 1)); };
  const auto approach2_plane = [&] {
    // A plane of the columns with digits alone: what the densest layout of them costs, its codes taken as made.
    packed_product(o.rows, {}, std::span(&alone, 1));
    const PackedRows plane = PackedRows::view({o.x.data(), options.tokens, pattern.columns, options.in});
    const PackedColumns part =
        PackedColumns::pack({o.w.data(), options.out, pattern.columns, options.in}, Transpose::Yes);
    ProductOutput output = o.output();
    output.add = true;
    packed_product(plane, part, output);
  };
  const auto none = [&] { packed_product(o.rows, {}, std::span(&alone, 1)); };
  rows.push_back({pattern, interleaved_medians(state, {{"none", none},
                                                       {"approach1", approach1},
                                                       {"approach1 tile", approach1_tile},
                                                       {"approach2", approach2},
                                                       {"approach2 plane", approach2_plane}})});
  benchmark::DoNotOptimize(o.y.data());
}

void close(Program& program) {
  ClosingTable table(fmt::format("Ways to join outliers, [{}, {}] by [{}, {}]^T: time over the product without",
                                 options.tokens, options.in, options.out, options.in),
                     {"outliers in a row", "columns that hold them", "share", "without, ms", "approach1, joined",
                      "approach1, tile", "approach2, joined", "approach2, plane"},
                     "Every row holds as many. Joined: code by code, in the product. Tile and plane: a product of "
                     "their own over those columns, its operands' gathering counted for approach1, not for approach2.");
  for (const auto& [pattern, m] : rows) {
    const double none = m.at("none");
    table.add({pattern.terms, pattern.columns, pattern.share(), 1e3 * none, m.at("approach1") / none,
               m.at("approach1 tile") / none, m.at("approach2") / none, m.at("approach2 plane") / none});
  }
  program.close_with(std::move(table));
}

}  // namespace

int main(int argc, char** argv) {
  Program program("bench_outliers", "Ways to join outliers, as they grow dense.", /*rounds=*/7);
  program.options().add_option("--tokens", options.tokens)->check(CLI::PositiveNumber)->capture_default_str();
  program.options().add_option("--in", options.in)->check(CLI::Range(256, 1 << 16))->capture_default_str();
  program.options().add_option("--out", options.out)->check(CLI::PositiveNumber)->capture_default_str();
  return program.run(
      argc, argv,
      [&] {
        for (const Pattern& pattern : patterns)
          program.measure(fmt::format("outliers: {} of {} columns", pattern.terms, pattern.columns),
                          [&](benchmark::State& state) { measure(state, pattern); });
      },
      [&] { close(program); });
}
