#include "backend_check.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace fixtune {
namespace {

using detail::check_backend;
using detail::IntegerProduct;
using testing::HasSubstr;

std::int32_t value(const Int8View& v, Transpose t, Index row, Index col) {
  return t == Transpose::Yes ? v.data[col * v.stride + row] : v.data[row * v.stride + col];
}

/// As a CPU without VNNI may do it: (a + 128) b in pairs saturated to 16 bits, corrected by 128 times the sum
/// of b.
void saturating_product(const IntegerProduct& p) {
  for (Index m = 0; m < p.m; ++m)
    for (Index n = 0; n < p.n; ++n) {
      std::int32_t sum = 0;
      for (Index k = 0; k < p.k; k += 2) {
        std::int32_t pair = 0;
        for (Index i = k; i < std::min(k + 2, p.k); ++i) {
          const std::int32_t b = value(p.b, p.transpose_b, i, n);
          pair += (value(p.a, p.transpose_a, m, i) + 128) * b;
          sum -= 128 * b;
        }
        sum += std::clamp(pair, -32768, 32767);
      }
      p.c[m * p.ldc + n] = sum;
    }
}

void float_rounding_product(const IntegerProduct& p) {
  detail::reference_product(p);
  for (Index m = 0; m < p.m; ++m)
    for (Index n = 0; n < p.n; ++n) {
      auto& c = p.c[m * p.ldc + n];
      c = static_cast<std::int32_t>(static_cast<float>(c));
    }
}

/// Right but for the last value of an odd contraction.
void tail_dropping_product(IntegerProduct p) {
  p.k -= p.k % 2;
  detail::reference_product(p);
}

TEST(BackendCheck, AcceptsTheReference) { EXPECT_EQ(check_backend(detail::reference_product), ""); }

TEST(BackendCheck, LeavesASaturatingProduct) {
  EXPECT_THAT(check_backend(saturating_product), HasSubstr("wrong integer"));
}

TEST(BackendCheck, LeavesAProductRoundedToFloat) {
  EXPECT_THAT(check_backend(float_rounding_product), HasSubstr("wrong integer"));
}

TEST(BackendCheck, LeavesAProductThatDropsTheTail) {
  EXPECT_THAT(check_backend(tail_dropping_product), HasSubstr("wrong integer"));
}

TEST(BackendCheck, LeavesAProductWrongInOneTransposeOnly) {
  const auto wrong_for_dw = [](const IntegerProduct& p) {
    p.transpose_a == Transpose::Yes&& p.transpose_b == Transpose::No ? saturating_product(p)
                                                                     : detail::reference_product(p);
  };
  EXPECT_THAT(check_backend(wrong_for_dw), HasSubstr("A transposed"));
}

TEST(BackendCheck, ReportsAProductThatThrows) {
  EXPECT_EQ(check_backend([](const IntegerProduct&) { fail("no such instruction"); }), "no such instruction");
}

TEST(BackendCheck, TheReportNamesTheChosenBackEnd) {
  const auto report = integer_backend_report();
  ASSERT_FALSE(report.empty());
  EXPECT_THAT(report.back(),
              testing::AllOf(HasSubstr(std::string(name(active_integer_backend()))), HasSubstr("chosen")));
  for (std::size_t i = 0; i + 1 < report.size(); ++i) EXPECT_THAT(report[i], HasSubstr("not used: "));
  for (const auto& line : report) std::puts(line.c_str());
}

}  // namespace
}  // namespace fixtune
