// Packed products on every kernel of this CPU against an evaluation in 64-bit integers: the same bits.
#include "fixtune/gemm/packed_product.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <random>
#include <string>

#include "gemm/product_companion.h"
#include "on_threads.h"

namespace fixtune {
namespace {

using Codes = std::vector<std::int8_t>;

Codes random_codes(Index count, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_int_distribution<int> code(-127, 127);
  Codes codes(static_cast<std::size_t>(count));
  for (std::int8_t& c : codes) c = static_cast<std::int8_t>(code(generator));
  return codes;
}

std::vector<float> random_floats(Index count, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> value(0.5F, 2.0F);
  std::vector<float> floats(static_cast<std::size_t>(count));
  for (float& f : floats) f = value(generator);
  return floats;
}

/// A[m, k] (row-major), digits in it, B[n, k] (row-major), and what the epilogue multiplies with.
struct Operands {
  Index m, n, k;
  std::int32_t unit;
  Codes a, b;
  std::vector<SparseDigit> digits;
  std::vector<float> row_steps, column_steps, bias;

  Operands(Index rows, Index columns, Index contraction, std::int32_t digit_unit, int digit, Index digit_every)
      : m(rows), n(columns), k(contraction), unit(digit_unit), a(random_codes(rows * contraction, 1)),
        b(random_codes(columns * contraction, 2)), row_steps(random_floats(rows, 3)),
        column_steps(random_floats(columns, 4)), bias(random_floats(columns, 5)) {
    for (Index i = 0; digit_every > 0 && i < m * k; i += digit_every)
      digits.push_back({static_cast<std::int32_t>(i / k), static_cast<std::int32_t>(i % k),
                        (i / digit_every) % 2 == 0 ? digit : -digit / 2});
  }

  std::int64_t sum(Index row, Index column) const {
    std::int64_t total = 0;
    for (Index i = 0; i < k; ++i)
      total += a[static_cast<std::size_t>(row * k + i)] * b[static_cast<std::size_t>(column * k + i)];
    for (const SparseDigit& d : digits)
      if (d.row == row)
        total += std::int64_t{unit} * d.digit * b[static_cast<std::size_t>(column * k + d.column)];
    return total;
  }
  float value(Index row, Index column) const {
    const float scaled = (static_cast<float>(sum(row, column)) * row_steps[static_cast<std::size_t>(row)]) *
                         column_steps[static_cast<std::size_t>(column)];
    return scaled + bias[static_cast<std::size_t>(column)];
  }
  Codes transposed_a() const {
    Codes t(a.size());
    for (Index r = 0; r < m; ++r)
      for (Index c = 0; c < k; ++c) t[static_cast<std::size_t>(c * m + r)] = a[static_cast<std::size_t>(r * k + c)];
    return t;
  }
  ProductOutput output(std::vector<float>& y, bool transposed) const {
    ProductOutput out;
    out.y = y.data();
    out.stride = transposed ? m : n;
    out.transposed = transposed;
    out.row_steps = row_steps.data();
    out.column_steps = column_steps.data();
    out.bias = bias.data();
    return out;
  }
  void expect_equal(const std::vector<float>& y, bool transposed, float times = 1.0F) const {
    for (Index r = 0; r < m; ++r)
      for (Index c = 0; c < n; ++c)
        ASSERT_EQ(y[static_cast<std::size_t>(transposed ? c * m + r : r * n + c)], times * value(r, c))
            << "row " << r << ", column " << c;
  }
};

class PackedProducts : public ::testing::TestWithParam<PackedKernel> {
 protected:
  void SetUp() override { use_packed_kernel(GetParam()); }
  void TearDown() override { use_packed_kernel(best_); }

 private:
  const PackedKernel best_ = active_packed_kernel();
};

TEST_P(PackedProducts, EqualSixtyFourBitSumsForEveryRemainder) {
  for (const Index m : {1, 2, 3, 4, 5, 6, 7, 8, 19})
    for (const Index n : {1, 15, 17, 48, 101})
      for (const Index k : {1, 3, 4, 37, 64}) {
        const Operands o(m, n, k, 254, 100, 5);
        std::vector<float> y(static_cast<std::size_t>(m * n));
        packed_product(PackedRows::view({o.a.data(), m, k, k}), DigitRows(o.digits, m, o.unit),
                       PackedColumns::pack({o.b.data(), n, k, k}, Transpose::Yes), o.output(y, false));
        o.expect_equal(y, false);
      }
}

// Sums of two and of four codes on both sides of what 16 bits hold, and codes of -128; over more than one part.
TEST_P(PackedProducts, ExactWherePartialSumsBarelyFitAndWhereTheyDoNot) {
  constexpr int edges[] = {-128, -127, -65, -64, -63, -1, 0, 1, 63, 64, 65, 127};
  std::mt19937 generator(7);
  std::uniform_int_distribution<std::size_t> any(0, std::size(edges) - 1);
  Operands o(21, 53, 1035, 254, 127, 11);
  for (Codes* codes : {&o.a, &o.b})
    for (std::int8_t& code : *codes) code = static_cast<std::int8_t>(edges[any(generator)]);
  // Rows that never fit, rows that always just do.
  for (Index i = 0; i < o.k; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const auto k = static_cast<std::size_t>(o.k);
    o.a[at] = 127;
    o.a[k + at] = -128;
    o.a[2 * k + at] = 64;
    o.b[at] = -128;
    o.b[k + at] = 127;
  }
  const DigitRows digits(o.digits, o.m, o.unit);
  const PackedColumns columns = PackedColumns::pack({o.b.data(), o.n, o.k, o.k}, Transpose::Yes);
  std::vector<float> y(static_cast<std::size_t>(o.m * o.n));
  packed_product(PackedRows::view({o.a.data(), o.m, o.k, o.k}), digits, columns, o.output(y, false));
  o.expect_equal(y, false);
  const Codes stored = o.transposed_a();
  packed_product(PackedRows::transpose({stored.data(), o.k, o.m, o.m}), digits, columns, o.output(y, true));
  o.expect_equal(y, true);
}

TEST_P(PackedProducts, RowsAndOutputMayBeTransposed) {
  const Operands o(29, 53, 45, 254, 127, 7);
  const Codes stored = o.transposed_a();
  std::vector<SparseDigit> as_stored;  // sorted by (row, column) of the stored matrix
  for (Index column = 0; column < o.k; ++column)
    for (const SparseDigit& d : o.digits)
      if (d.column == column) as_stored.push_back({d.column, d.row, d.digit});
  std::vector<float> y(static_cast<std::size_t>(o.m * o.n));
  packed_product(PackedRows::transpose({stored.data(), o.k, o.m, o.m}), DigitRows(as_stored, o.m, o.unit, true),
                 PackedColumns::pack({o.b.data(), o.n, o.k, o.k}, Transpose::Yes), o.output(y, true));
  o.expect_equal(y, true);
}

// Widths on both sides of what a kernel transposes at once, with and without codes that fill no group or pair of groups.
TEST_P(PackedProducts, TransposedRowsOfEveryWidthAndLength) {
  for (const Index m : {7, 8, 63, 64, 72, 137, 200})
    for (const Index k : {3, 4, 7, 8, 61, 64, 68, 139}) {
      SCOPED_TRACE(std::to_string(m) + " x " + std::to_string(k));
      const Operands o(m, 5, k, 1, 0, 0);
      const Codes stored = o.transposed_a();
      std::vector<float> y(static_cast<std::size_t>(o.m * o.n));
      packed_product(PackedRows::transpose({stored.data(), k, m, m}), DigitRows(),
                     PackedColumns::pack({o.b.data(), o.n, k, k}, Transpose::Yes), o.output(y, false));
      o.expect_equal(y, false);
    }
}

TEST_P(PackedProducts, ColumnsMayBeStoredEitherWay) {
  const Operands o(9, 77, 26, 1, 0, 0);
  Codes stored(o.b.size());
  for (Index n = 0; n < o.n; ++n)
    for (Index k = 0; k < o.k; ++k)
      stored[static_cast<std::size_t>(k * o.n + n)] = o.b[static_cast<std::size_t>(n * o.k + k)];
  const PackedColumns lines = PackedColumns::pack({o.b.data(), o.n, o.k, o.k}, Transpose::Yes);
  const PackedColumns groups = PackedColumns::pack({stored.data(), o.k, o.n, o.n}, Transpose::No);
  for (Index n = 0; n < o.n; ++n)
    for (Index k = 0; k < o.k; ++k) {
      ASSERT_EQ(lines.code(k, n), o.b[static_cast<std::size_t>(n * o.k + k)]);
      ASSERT_EQ(groups.code(k, n), lines.code(k, n));
    }
}

// 127*(254*sum|d| + 127*K) passes 2^31 here: 70 digits of two INT8 planes in each row.
TEST_P(PackedProducts, DigitsPastThirtyTwoBitsJoinInSixtyFour) {
  const Operands o(11, 50, 140, 254, 127 * 255, 2);
  std::vector<float> y(static_cast<std::size_t>(o.m * o.n));
  ASSERT_GT(std::abs(o.sum(0, 0)) + std::abs(o.sum(3, 1)) + std::abs(o.sum(5, 7)), 1LL << 31);
  packed_product(PackedRows::view({o.a.data(), o.m, o.k, o.k}), DigitRows(o.digits, o.m, o.unit),
                 PackedColumns::pack({o.b.data(), o.n, o.k, o.k}, Transpose::Yes), o.output(y, false));
  o.expect_equal(y, false);
}

TEST_P(PackedProducts, LongContractionsRunInParts) {
  const Operands o(13, 49, 13001, 254, 64, 11);
  std::vector<float> y(static_cast<std::size_t>(o.m * o.n));
  const PackedColumns b = PackedColumns::pack({o.b.data(), o.n, o.k, o.k}, Transpose::Yes);
  packed_product(PackedRows::view({o.a.data(), o.m, o.k, o.k}), DigitRows(o.digits, o.m, o.unit), b, o.output(y, false));
  o.expect_equal(y, false);
  std::vector<std::int32_t> c(y.size());
  packed_product(PackedRows::view({o.a.data(), o.m, o.k, o.k}), b, c.data(), o.n);
  Operands plain = o;
  plain.digits.clear();
  for (Index r = 0; r < o.m; ++r)
    for (Index n = 0; n < o.n; ++n) ASSERT_EQ(c[static_cast<std::size_t>(r * o.n + n)], plain.sum(r, n));
}

// Few rows: B is packed panel by panel. One thread: rows of A are transposed, and summed, block by block. Long
// contractions run in parts, for which both are made beforehand.
TEST_P(PackedProducts, OperandsMadeOnTheWayGiveTheSameIntegers) {
  struct Shape {
    Index m, n, k;
  };
  for (const Shape s : {Shape{37, 101, 70}, {1100, 60, 33}, {530, 300, 36}, {19, 50, 4102}, {137, 49, 4097}}) {
    const Operands o(s.m, s.n, s.k, 1, 1, 0);
    const Codes a_by_column = o.transposed_a();
    Codes b_by_row(o.b.size());
    for (Index n = 0; n < s.n; ++n)
      for (Index k = 0; k < s.k; ++k)
        b_by_row[static_cast<std::size_t>(k * s.n + n)] = o.b[static_cast<std::size_t>(n * s.k + k)];
    const Int8View a_rows{o.a.data(), s.m, s.k, s.k}, b_columns{o.b.data(), s.n, s.k, s.k};
    const auto size = static_cast<std::size_t>(s.m * s.n);
    std::vector<std::int32_t> expected(size);
    integer_product(IntegerBackend::Reference, a_rows, Transpose::No, b_columns, Transpose::Yes, expected.data(), s.n);
    for (const int threads : {1, 3}) {
      const OnThreads on(threads);
      for (const bool transposed : {false, true}) {
        const PackedRows a =
            transposed ? PackedRows::transpose({a_by_column.data(), s.k, s.m, s.m}) : PackedRows::view(a_rows);
        std::vector<std::int32_t> packed(size, -1), columns(size, -1), rows(size, -1);
        packed_product(a, PackedColumns::pack(b_columns, Transpose::Yes), packed.data(), s.n);
        packed_product(a, b_columns, Transpose::Yes, columns.data(), s.n);
        packed_product(a, {b_by_row.data(), s.k, s.n, s.n}, Transpose::No, rows.data(), s.n);
        EXPECT_EQ(packed, expected) << s.m << ' ' << s.n << ' ' << s.k;
        EXPECT_EQ(columns, expected) << s.m << ' ' << s.n << ' ' << s.k;
        EXPECT_EQ(rows, expected) << s.m << ' ' << s.n << ' ' << s.k;
      }
    }
  }
}

/// Counts how often each piece was done.
class CountingCompanion final : public detail::ProductCompanion {
 public:
  explicit CountingCompanion(Index pieces) : memory_(64 * pieces), done_(static_cast<std::size_t>(pieces)) {}

  Index pieces() const override { return static_cast<Index>(done_.size()); }
  std::span<const std::byte> memory(Index first, Index last) const override {
    return std::as_bytes(std::span(memory_.data() + 64 * first, static_cast<std::size_t>(64 * (last - first))));
  }
  void run(Index first, Index last) override {
    for (Index i = first; i < last; ++i) ++done_[static_cast<std::size_t>(i)];
  }
  void run_all() override { run(0, pieces()); }

  void expect_each_once() const {
    for (const std::atomic<int>& times : done_) EXPECT_EQ(times, 1);
  }

 private:
  AlignedBuffer<char> memory_;
  std::vector<std::atomic<int>> done_;
};

// Fewer and more pieces than panels; one row, several blocks, a contraction in parts, and nothing to multiply.
TEST_P(PackedProducts, ACompanionsPiecesAreDoneOnceEach) {
  for (const auto& [m, n, k] : {std::array{Index{1}, Index{30}, Index{8}}, {1100, 200, 36}, {70, 100, 4100}, {0, 60, 8}})
    for (const Index pieces : {0, 1, 5, 3000})
      for (const int threads : {1, 3}) {
        const OnThreads on(threads);
        const Operands o(m, n, k, 1, 1, 0);
        const PackedColumns b = PackedColumns::pack({o.b.data(), n, k, k}, Transpose::Yes);
        std::vector<float> expected(static_cast<std::size_t>(m * n)), y(expected.size());
        packed_product(PackedRows::view({o.a.data(), m, k, k}), b, o.output(expected, false));
        CountingCompanion companion(pieces);
        packed_product(PackedRows::view({o.a.data(), m, k, k}), b, o.output(y, false), companion);
        EXPECT_EQ(y, expected);
        companion.expect_each_once();
      }
}

TEST_P(PackedProducts, AddsToWhatIsThere) {
  for (const bool transposed : {false, true}) {
    const Operands o(21, 60, 33, 254, 3, 9);
    std::vector<float> y(static_cast<std::size_t>(o.m * o.n));
    const PackedRows a = PackedRows::view({o.a.data(), o.m, o.k, o.k});
    const PackedColumns b = PackedColumns::pack({o.b.data(), o.n, o.k, o.k}, Transpose::Yes);
    ProductOutput output = o.output(y, transposed);
    packed_product(a, DigitRows(o.digits, o.m, o.unit), b, output);
    output.add = true;
    packed_product(a, DigitRows(o.digits, o.m, o.unit), b, output);
    o.expect_equal(y, transposed, 2.0F);
  }
}

// Large outputs on a cache line are stored past the caches. All ways to end a tile: with and without bias, with a step
// for each row and column or one for all. Contractions shorter and longer than a tile has lines to store meanwhile.
TEST_P(PackedProducts, LargeOutputsHoldWhatSmallOnesDo) {
  for (const Index k : {12, 412}) {
    constexpr Index m = 1029, n = 2064, line = 16;
    const Operands o(m, n, k, 254, 100, 50 * k / 12);
    const PackedRows a = PackedRows::view({o.a.data(), m, k, k});
    const DigitRows digits(o.digits, m, o.unit);
    const PackedColumns b = PackedColumns::pack({o.b.data(), n, k, k}, Transpose::Yes);
    AlignedBuffer<float> aligned(m * n), shifted(m * n + 1);
    std::vector<float> unused;
    for (const bool bias : {true, false})
      for (const bool steps : {true, false}) {
        ProductOutput output = o.output(unused, false);
        if (!bias) output.bias = nullptr;
        if (!steps) output.row_steps = output.column_steps = nullptr;
        output.row_step = 0.5F;
        output.column_step = 1.7F;
        output.y = aligned.data();
        packed_product(a, digits, b, output);
        output.y = shifted.data() + 1;
        packed_product(a, digits, b, output);
        for (Index i = 0; i < m * n; ++i) ASSERT_EQ(aligned[i], shifted[i + 1]) << "element " << i;
        for (const Index i : {Index{0}, n - 1, 500 * n + line, m * n - 1}) {
          const float row_step = steps ? o.row_steps[static_cast<std::size_t>(i / n)] : 0.5F;
          const float column_step = steps ? o.column_steps[static_cast<std::size_t>(i % n)] : 1.7F;
          const float scaled = (static_cast<float>(o.sum(i / n, i % n)) * row_step) * column_step;
          ASSERT_EQ(aligned[i], bias ? scaled + o.bias[static_cast<std::size_t>(i % n)] : scaled) << "element " << i;
        }
      }
  }
}

// A large left operand is transposed past the caches where its tiles begin on cache lines, which an odd number of
// groups prevents.
TEST_P(PackedProducts, LargeTransposedRowsHoldWhatRowsDo) {
  for (const Index k : {1024, 1028}) {
    const Operands o(1045, 20, k, 254, 3, 5000);
    const Codes stored = o.transposed_a();
    const PackedColumns b = PackedColumns::pack({o.b.data(), o.n, o.k, o.k}, Transpose::Yes);
    const DigitRows digits(o.digits, o.m, o.unit);
    std::vector<float> as_rows(static_cast<std::size_t>(o.m * o.n)), as_columns = as_rows;
    packed_product(PackedRows::view({o.a.data(), o.m, o.k, o.k}), digits, b, o.output(as_rows, false));
    packed_product(PackedRows::transpose({stored.data(), o.k, o.m, o.m}), digits, b, o.output(as_columns, false));
    ASSERT_EQ(as_columns, as_rows);
    ASSERT_EQ(as_rows[0], o.value(0, 0));
    ASSERT_EQ(as_rows.back(), o.value(o.m - 1, o.n - 1));
  }
}

// Columns of several operands in one product: panels that are not full lie in the middle.
TEST_P(PackedProducts, SeveralRightOperandsGiveWhatEachGivesAlone) {
  for (const Index k : {37, 5000}) {
    const Operands o(k > 1000 ? 20 : 300, 53, k, 254, 30, 7);
    const PackedRows a = PackedRows::view({o.a.data(), o.m, o.k, o.k});
    const DigitRows digits(o.digits, o.m, o.unit);
    const PackedColumns b = PackedColumns::pack({o.b.data(), o.n, o.k, o.k}, Transpose::Yes);
    const PackedColumns narrow = PackedColumns::pack({o.b.data(), 7, o.k, o.k}, Transpose::Yes);
    std::vector<float> first(static_cast<std::size_t>(o.m * o.n)), last = first;
    std::vector<float> middle(static_cast<std::size_t>(o.m * 7)), alone = middle;
    ProductOutput narrow_output = o.output(middle, false);
    narrow_output.stride = 7;
    const ProductPart parts[] = {{&b, o.output(first, false)}, {&narrow, narrow_output}, {&b, o.output(last, true)}};
    packed_product(a, digits, parts);
    o.expect_equal(first, false);
    o.expect_equal(last, true);
    narrow_output.y = alone.data();
    packed_product(a, digits, narrow, narrow_output);
    EXPECT_EQ(middle, alone);
  }
}

/// A sparse part beside Operands: codes of 12 bits in some rows (one of them in every column, over and over), and W12.
struct SparsePart {
  FixedPointTensor w;
  std::vector<SparseDigit> codes;
  SparseRows rows;
  SparseColumns columns;

  explicit SparsePart(const Operands& o) {
    std::mt19937 generator(11);
    std::uniform_int_distribution<int> any(-2047, 2047);
    w.rows = o.n;
    w.cols = o.k;
    w.format.bits = 12;
    w.steps = {0.75F};
    w.codes16 = AlignedBuffer<std::int16_t>(o.n * o.k);
    for (Index i = 0; i < o.n * o.k; ++i)
      w.codes16[i] = static_cast<std::int16_t>(i % 5 == 0 ? 2047 : any(generator));
    for (Index r = 0; r < o.m; ++r)
      for (Index c = 0; c < o.k; ++c)
        if (r == 3 || (r % 4 == 1 && c % 9 == 2))
          codes.push_back({static_cast<std::int32_t>(r), static_cast<std::int32_t>(c), r == 3 ? 2047 : any(generator)});
    rows = SparseRows(codes, o.m, o.k, 0.6F);
    columns = SparseColumns(w, rows);
  }
  float value(const Operands& o, Index row, Index column) const {
    std::int64_t sum = 0;
    bool any = false;
    for (const SparseDigit& d : codes) {
      if (d.row != row) continue;
      any = true;
      sum += std::int64_t{d.digit} * w.code(column, d.column);
    }
    const float rest = o.value(row, column);
    return any ? rest + (static_cast<float>(sum) * 0.6F) * 0.75F : rest;
  }
};

// Row 3 sums as many products of 12-bit codes as there are columns: past int32 where those are 5000.
TEST_P(PackedProducts, ASparsePartInItsOwnUnitJoinsAsRowsAreStored) {
  for (const Index k : {37, 900, 5000}) {
    Operands o(21, 101, k, 254, 30, 7);
    const SparsePart part(o);
    const PackedColumns b = PackedColumns::pack({o.b.data(), o.n, o.k, o.k}, Transpose::Yes);
    std::vector<float> with(static_cast<std::size_t>(o.m * o.n)), transposed = with, without = with;
    const ProductPart parts[] = {{&b, o.output(with, false), &part.columns},
                                 {&b, o.output(without, false)},
                                 {&b, o.output(transposed, true), &part.columns}};
    packed_product(PackedRows::view({o.a.data(), o.m, o.k, o.k}), DigitRows(o.digits, o.m, o.unit), parts, part.rows);
    o.expect_equal(without, false);
    for (Index r = 0; r < o.m; ++r)
      for (Index c = 0; c < o.n; ++c) {
        ASSERT_EQ(with[static_cast<std::size_t>(r * o.n + c)], part.value(o, r, c)) << "row " << r << ", column " << c;
        ASSERT_EQ(transposed[static_cast<std::size_t>(c * o.m + r)], part.value(o, r, c));
      }
  }
}

TEST_P(PackedProducts, DigitsAloneNeedNoCodes) {
  Operands o(10, 35, 44, 1, 90, 3);
  std::fill(o.a.begin(), o.a.end(), std::int8_t{0});
  std::vector<float> y(static_cast<std::size_t>(o.m * o.n));
  packed_product(PackedRows::zeros(o.m, o.k), DigitRows(o.digits, o.m, 1),
                 PackedColumns::pack({o.b.data(), o.n, o.k, o.k}, Transpose::Yes), o.output(y, false));
  o.expect_equal(y, false);
}

TEST_P(PackedProducts, SameBitsOnAnyNumberOfThreads) {
  const Operands o(300, 200, 77, 254, 50, 13);
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 4}) {
    const OnThreads use(threads);
    results.emplace_back(static_cast<std::size_t>(o.m * o.n));
    packed_product(PackedRows::view({o.a.data(), o.m, o.k, o.k}), DigitRows(o.digits, o.m, o.unit),
                   PackedColumns::pack({o.b.data(), o.n, o.k, o.k}, Transpose::Yes), o.output(results.back(), false));
  }
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

INSTANTIATE_TEST_SUITE_P(Kernels, PackedProducts, ::testing::ValuesIn(available_packed_kernels()),
                         [](const auto& tested) { return std::string(name(tested.param)); });

TEST(PackedProduct, RefusesASparsePartOfOtherShape) {
  Operands o(8, 20, 40, 254, 30, 7), wider(8, 20, 44, 254, 30, 7);
  const SparsePart part(o), other(wider);
  const PackedColumns b = PackedColumns::pack({o.b.data(), o.n, o.k, o.k}, Transpose::Yes);
  std::vector<float> y(static_cast<std::size_t>(o.m * o.n));
  const ProductPart parts[] = {{&b, o.output(y, false), &other.columns}};
  EXPECT_THROW(packed_product(PackedRows::view({o.a.data(), o.m, o.k, o.k}), {}, parts, part.rows), Error);
  EXPECT_THROW(SparseColumns(other.w, part.rows), Error);
}

TEST(PackedProduct, NamesShapesThatDisagreeAndContractionsTooLong) {
  const Codes codes(64, std::int8_t{1});
  const PackedRows a = PackedRows::view({codes.data(), 2, 8, 8});
  const PackedColumns b = PackedColumns::pack({codes.data(), 2, 12, 12}, Transpose::Yes);
  std::vector<float> y(4);
  ProductOutput output;
  output.y = y.data();
  output.stride = 2;
  EXPECT_THROW(packed_product(a, b, output), Error);
  const Codes many(static_cast<std::size_t>(max_contraction_8x8) + 1, std::int8_t{127});
  const Index k = max_contraction_8x8 + 1;
  EXPECT_THROW(packed_product(PackedRows::view({many.data(), 1, k, k}),
                              PackedColumns::pack({many.data(), 1, k, k}, Transpose::Yes), output),
               Error);
}

}  // namespace
}  // namespace fixtune
