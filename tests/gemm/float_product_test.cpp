#include "fixtune/gemm/float_product.h"

#include <gmock/gmock.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <thread>
#include <utility>

#include "fixtune/core/parallel.h"
#include "fixtune/core/random.h"

namespace fixtune {
namespace {

constexpr Transpose both[] = {Transpose::No, Transpose::Yes};

/// Uniform in [-1, 1), with room after each row.
struct Operand {
  Tensor storage;
  Index rows, cols;
  Operand(Index row_count, Index col_count, std::uint64_t seed)
      : storage(row_count, col_count + 3), rows(row_count), cols(col_count) {
    const RandomStream random({seed, 0, 0}, 3);
    for (Index i = 0; i < storage.size(); ++i)
      storage.data()[i] = 2.0F * random.uniform(static_cast<std::uint64_t>(i)) - 1.0F;
  }
  ConstMatrixMap map() const { return {storage.data(), rows, cols, Eigen::OuterStride<>(cols + 3)}; }
};

Eigen::MatrixXd as_double(const ConstMatrixMap& m, Transpose t, FloatKind kind) {
  Eigen::MatrixXd d =
      m.unaryExpr([kind](float x) { return kind == FloatKind::BF16 ? round_to_bf16(x) : x; }).cast<double>();
  if (t == Transpose::Yes) return d.transpose();
  return d;
}

struct Shape {
  Index m, n, k;
};

void expect_product(FloatKind kind, const Shape& s, Transpose ta, Transpose tb, bool accumulate) {
  const auto a = ta == Transpose::Yes ? Operand(s.k, s.m, 1) : Operand(s.m, s.k, 1);
  const auto b = tb == Transpose::Yes ? Operand(s.n, s.k, 2) : Operand(s.k, s.n, 2);
  Tensor c = Tensor::filled(s.m, s.n + 2, 0.5F);
  MatrixMap out(c.data(), s.m, s.n, Eigen::OuterStride<>(s.n + 2));
  float_product(kind, a.map(), ta, b.map(), tb, out, accumulate);
  Eigen::MatrixXd expected = as_double(a.map(), ta, kind) * as_double(b.map(), tb, kind);
  if (accumulate) expected.array() += 0.5;
  const double tolerance = 1e-6 * static_cast<double>(s.k + 1);
  EXPECT_LE((out.cast<double>() - expected).cwiseAbs().maxCoeff(), tolerance)
      << "[" << s.m << ", " << s.n << ", " << s.k << "] accumulate " << accumulate;
  for (Index r = 0; r < s.m; ++r) EXPECT_EQ(c(r, s.n), 0.5F) << "wrote past the row";
}

void expect_products(FloatKind kind) {
  for (const Shape& s :
       {Shape{1, 1, 1}, {1, 9, 33}, {7, 1, 5}, {5, 2, 768}, {33, 65, 129}, {128, 96, 200}, {150, 40, 64}})
    for (const Transpose ta : both)
      for (const Transpose tb : both)
        for (const bool accumulate : {false, true}) expect_product(kind, s, ta, tb, accumulate);
}

TEST(FloatProduct, Fp32AgreesWithDouble) { expect_products(FloatKind::FP32); }

TEST(FloatProduct, Bf16AgreesWithDoubleOnRoundedOperands) { expect_products(FloatKind::BF16); }

TEST(FloatProduct, EmptyContraction) {
  for (const FloatKind kind : {FloatKind::FP32, FloatKind::BF16}) {
    const Tensor a(2, 0), b(0, 3);
    Tensor c = Tensor::filled(2, 3, 4.0F);
    float_product(kind, a.map(), Transpose::No, b.map(), Transpose::No, c.map(), /*accumulate=*/true);
    EXPECT_EQ(c(1, 2), 4.0F);
    float_product(kind, a.map(), Transpose::No, b.map(), Transpose::No, c.map());
    EXPECT_EQ(c(1, 2), 0.0F);
  }
}

TEST(FloatProduct, RefusesShapesThatDisagree) {
  const Tensor a = Tensor::zeros(2, 3), b = Tensor::zeros(4, 5);
  Tensor c(2, 5);
  try {
    float_product(FloatKind::FP32, a.map(), Transpose::No, b.map(), Transpose::No, c.map());
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::AllOf(testing::HasSubstr("[2, 3]"), testing::HasSubstr("[4, 5]")));
  }
}

TEST(FloatProduct, SerialEqualsDoubleInsideAndOutsideParallelRegions) {
  const Operand a(100, 64, 1), b(90, 64, 2);
  for (const FloatKind kind : {FloatKind::FP32, FloatKind::BF16}) {
    const Eigen::MatrixXd expected =
        as_double(a.map(), Transpose::No, kind) * as_double(b.map(), Transpose::Yes, kind);
    std::vector<Tensor> results(5, Tensor(100, 90));
    const auto compute = [&](Tensor& c) {
      float_product_serial(kind, {a.storage.data(), b.storage.data(), c.data(), 100, 90, 64, 67, 67, 90},
                           Transpose::No, Transpose::Yes);
    };
    const int threads = thread_count();
    compute(results[4]);
    EXPECT_EQ(thread_count(), threads);
    parallel_for(4, 1, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) compute(results[static_cast<std::size_t>(i)]);
    });
    for (const Tensor& c : results) {
      EXPECT_LE((c.map().cast<double>() - expected).cwiseAbs().maxCoeff(), 1e-4);
      EXPECT_EQ(c.map(), results[4].map());
    }
  }
}

TEST(FloatProduct, ManyCallersAndThreadCounts) {
  const std::vector<Shape> shapes{{40, 30, 64}, {41, 30, 64}, {40, 31, 65}};
  for (const int threads : {1, 2, 1}) {
    set_thread_count(threads);
    for (const Shape& s : shapes) expect_product(FloatKind::BF16, s, Transpose::No, Transpose::Yes, false);
  }
  set_thread_count(0);
  std::vector<std::jthread> callers;
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&] {
      for (int i = 0; i < 3; ++i)
        for (const Shape& s : shapes)
          expect_product(FloatKind::BF16, s, Transpose::No, Transpose::Yes, false);
    });
}

TEST(FloatProduct, WorksInsideAParallelRegion) {
  parallel_for(2, 1, [](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      expect_product(FloatKind::FP32, {50, 60, 70}, Transpose::No, Transpose::Yes, false);
      expect_product(FloatKind::BF16, {50, 60, 70}, Transpose::Yes, Transpose::No, false);
    }
  });
}

// What AddressSanitizer keeps back of freed memory would be counted too.
#if defined(__SANITIZE_ADDRESS__)
#define FIXTUNE_FREED_MEMORY_IS_KEPT
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIXTUNE_FREED_MEMORY_IS_KEPT
#endif
#endif
#if !defined(FIXTUNE_FREED_MEMORY_IS_KEPT)
/// Pages this process holds.
long resident_kilobytes() {
  std::ifstream status("/proc/self/statm");
  long total = 0, resident = 0;
  status >> total >> resident;
  return resident * 4;
}

// Primitives that stay on the heap between large buffers once held 1.2 GB here.
TEST(FloatProduct, MemoryStaysFlatOverManyShapes) {
  const Tensor w = Tensor::filled(128, 128, 0.5F);
  const auto every_shape = [&w] {
    for (Index tokens = 3; tokens < 600; ++tokens) {
      const Tensor x = Tensor::filled(tokens, 128, 1.0F);
      Tensor y(tokens, 128), dw(128, 128);
      const Tensor attention = Tensor::filled(tokens, tokens, 1.0F);
      float_product(FloatKind::BF16, x.map(), Transpose::No, w.map(), Transpose::Yes, y.map());
      float_product(FloatKind::BF16, x.map(), Transpose::Yes, x.map(), Transpose::No, dw.map());
    }
  };
  every_shape();
  const long before = resident_kilobytes();
  every_shape();
  EXPECT_LT(resident_kilobytes() - before, 32 * 1024);
  EXPECT_LT(before, 400 * 1024);
}
#endif

TEST(Bf16, RoundsToNearestEvenAndKeepsSpecialValues) {
  EXPECT_EQ(round_to_bf16(1.0F), 1.0F);
  EXPECT_EQ(round_to_bf16(1.0F + 0x1p-8F), 1.0F);
  EXPECT_EQ(round_to_bf16(1.0F + 0x1p-7F + 0x1p-8F), 1.0F + 0x1p-6F);
  EXPECT_EQ(round_to_bf16(1.0F + 0x1p-8F + 0x1p-23F), 1.0F + 0x1p-7F);
  EXPECT_TRUE(std::signbit(round_to_bf16(-0.0F)));
  constexpr float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(round_to_bf16(-infinity), -infinity);
  EXPECT_EQ(round_to_bf16(std::numeric_limits<float>::max()), infinity);
  EXPECT_TRUE(std::isnan(round_to_bf16(std::numeric_limits<float>::quiet_NaN())));
  EXPECT_TRUE(std::isnan(round_to_bf16(__builtin_bit_cast(float, 0x7f800001U))));
}

TEST(FloatProduct, NanIsPassedOn) {
  Tensor a = Tensor::filled(20, 40, 1.0F), b = Tensor::filled(30, 40, 1.0F), c(20, 30);
  a(3, 7) = std::numeric_limits<float>::quiet_NaN();
  for (const FloatKind kind : {FloatKind::FP32, FloatKind::BF16}) {
    float_product(kind, std::as_const(a).map(), Transpose::No, std::as_const(b).map(), Transpose::Yes,
                  c.map());
    EXPECT_TRUE(std::isnan(c(3, 29)));
    EXPECT_EQ(c(4, 29), 40.0F);
  }
}

}  // namespace
}  // namespace fixtune
