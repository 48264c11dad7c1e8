#include "fixtune/gemm/integer_product.h"

#include <gmock/gmock.h>

#include <thread>

#include "int8_matrix.h"
#include "on_threads.h"

namespace fixtune {
namespace {

constexpr Transpose both[] = {Transpose::No, Transpose::Yes};

std::vector<std::int32_t> product(IntegerBackend backend, const Int8Matrix& a, Transpose ta,
                                  const Int8Matrix& b, Transpose tb, Index ldc_padding = 0) {
  const Index m = ta == Transpose::Yes ? a.cols : a.rows;
  const Index n = tb == Transpose::Yes ? b.rows : b.cols;
  std::vector<std::int32_t> c(static_cast<std::size_t>(m * (n + ldc_padding)), 12345);
  integer_product(backend, a.view(), ta, b.view(), tb, c.data(), n + ldc_padding);
  return c;
}

/// Back ends that must be right here: the one in use, and the FP32 chunks, which are exact everywhere.
std::vector<IntegerBackend> exact_backends() {
  return {active_integer_backend(), IntegerBackend::Packed, IntegerBackend::OneDnnFp32};
}

struct Shape {
  Index m, n, k;
};

TEST(IntegerProduct, EqualsReferenceForRandomCodesOddSizesStridesAndTransposes) {
  for (const Shape s : {Shape{1, 1, 1},
                        {1, 17, 3},
                        {13, 1, 70},
                        {3, 5, 7},
                        {33, 65, 129},
                        {17, 31, 1025},
                        {64, 48, 2049},
                        {127, 96, 63},
                        {2, 2, 4097}})
    for (const Transpose ta : both)
      for (const Transpose tb : both) {
        const auto a = ta == Transpose::Yes ? random_codes(s.k, s.m, 3, 1) : random_codes(s.m, s.k, 3, 1);
        const auto b = tb == Transpose::Yes ? random_codes(s.n, s.k, 5, 2) : random_codes(s.k, s.n, 5, 2);
        const auto expected = product(IntegerBackend::Reference, a, ta, b, tb, 2);
        for (const IntegerBackend backend : exact_backends())
          ASSERT_EQ(product(backend, a, ta, b, tb, 2), expected)
              << name(backend) << " [" << s.m << ", " << s.n << ", " << s.k << "]";
      }
}

TEST(IntegerProduct, ReferenceIsRightByHand) {
  Int8Matrix a(2, 3, 0), b(2, 3, 0);
  a.data = {1, 2, 3, -4, 5, -6};
  b.data = {7, 8, 9, 1, 0, -1};
  EXPECT_THAT(product(IntegerBackend::Reference, a, Transpose::No, b, Transpose::Yes),
              testing::ElementsAre(50, -2, -42, 2));
  EXPECT_THAT(product(IntegerBackend::Reference, a, Transpose::Yes, b, Transpose::No),
              testing::ElementsAre(3, 8, 13, 19, 16, 13, 15, 24, 33));
}

TEST(IntegerProduct, WorstCaseCodesAtTheLongestContraction) {
  const auto a = constant_codes(2, max_contraction_8x8, 127);
  const auto b = constant_codes(3, max_contraction_8x8, -127);
  for (const IntegerBackend backend : exact_backends())
    EXPECT_THAT(product(backend, a, Transpose::No, b, Transpose::Yes), testing::Each(-127 * 127 * 133144));
}

TEST(IntegerProduct, SumsPastFloatPrecisionStayExact) {
  for (const Index n : {Index{1}, Index{16}, Index{100}}) {
    const auto a = constant_codes(9, 6656, 50);
    auto b = constant_codes(n, 6656, -128);
    for (Index row = 0; row < n; ++row) b.at(row, 0) = -87;
    for (const IntegerBackend backend : exact_backends())
      EXPECT_THAT(product(backend, a, Transpose::No, b, Transpose::Yes), testing::Each(-42596350));
  }
}

// Another back end may take these (see integer_backend_for).
TEST(IntegerProduct, LargeOutputsOfShortContractions) {
  constexpr Index m = 1100, k = 70;
  for (const Index n : {Index{1008}, Index{1001}})
    for (const Transpose ta : both) {
      const auto a = ta == Transpose::Yes ? random_codes(k, m, 0, 1) : random_codes(m, k, 0, 1);
      const auto b = random_codes(k, n, 0, 2);
      AlignedBuffer<std::int32_t> c(m * n);
      integer_product(a.view(), ta, b.view(), Transpose::No, c.data(), n);
      const auto expected = product(IntegerBackend::OneDnnFp32, a, ta, b, Transpose::No);
      ASSERT_TRUE(std::equal(expected.begin(), expected.end(), c.data())) << name(integer_backend_for(m, n, k));
    }
}

TEST(IntegerProduct, SmallOutputsTakeTheBackEndInUse) {
  EXPECT_EQ(integer_backend_for(8, 8, 100), active_integer_backend());
  EXPECT_EQ(integer_backend_for(8, 8, max_contraction_8x8), active_integer_backend());
}

TEST(IntegerProduct, EmptyExtents) {
  std::int32_t c[] = {5, 5, 5, 5};
  for (const IntegerBackend backend : {IntegerBackend::Reference, active_integer_backend()}) {
    std::fill_n(c, 4, 5);
    integer_product(backend, {nullptr, 0, 3, 3}, Transpose::No, {nullptr, 3, 2, 2}, Transpose::No, c, 2);
    EXPECT_THAT(c, testing::Each(5));
    integer_product(backend, {nullptr, 2, 0, 0}, Transpose::No, {nullptr, 0, 2, 2}, Transpose::No, c, 2);
    EXPECT_THAT(c, testing::Each(0));
  }
}

std::string message_of(const Int8View& a, const Int8View& b, Index ldc) {
  std::vector<std::int32_t> c(64);
  try {
    integer_product(a, Transpose::No, b, Transpose::Yes, c.data(), ldc);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(IntegerProduct, RefusesShapesThatDisagreeAndNamesThem) {
  const auto a = random_codes(4, 5, 0, 1);
  const auto b = random_codes(3, 6, 0, 2);
  EXPECT_THAT(message_of(a.view(), b.view(), 3),
              testing::AllOf(testing::HasSubstr("[4, 5]"), testing::HasSubstr("[3, 6]^T")));
  EXPECT_THAT(message_of({a.data.data(), 4, 5, 4}, b.view(), 3), testing::HasSubstr("stride 4"));
  EXPECT_THAT(message_of(a.view(), random_codes(3, 5, 0, 2).view(), 2), testing::HasSubstr("stride 2"));
}

TEST(IntegerProduct, RefusesContractionsThatCouldOverflow) {
  const auto a = constant_codes(1, max_contraction_8x8 + 1, 1);
  EXPECT_THAT(message_of(a.view(), a.view(), 1),
              testing::AllOf(testing::HasSubstr("133145"), testing::HasSubstr("133144")));
}

TEST(IntegerProduct, SameIntegersOnAnyNumberOfThreadsAndFromManyCallers) {
  const auto a = random_codes(150, 300, 0, 3);
  const auto b = random_codes(200, 300, 0, 4);
  const auto expected = product(IntegerBackend::Reference, a, Transpose::No, b, Transpose::Yes);
  for (const int threads : {1, 2, 4}) {
    const OnThreads use(threads);
    for (const IntegerBackend backend : exact_backends())
      EXPECT_EQ(product(backend, a, Transpose::No, b, Transpose::Yes), expected);
  }
  std::vector<std::vector<std::int32_t>> found(4);
  {
    std::vector<std::jthread> callers;
    for (auto& result : found)
      callers.emplace_back([&] {
        for (int i = 0; i < 5; ++i)
          result = product(active_integer_backend(), a, Transpose::No, b, Transpose::Yes);
      });
  }
  EXPECT_THAT(found, testing::Each(expected));
}

}  // namespace
}  // namespace fixtune
