#include "fixtune/core/tensor.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace fixtune {
namespace {

TEST(Tensor, IsAlignedAndContiguous) {
  const Tensor t = Tensor::filled(3, 5, 2.0F);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(t.data()) % AlignedBuffer<float>::alignment, 0U);
  EXPECT_EQ(t.row(2) - t.data(), 10);
  EXPECT_EQ(t.map().sum(), 30.0F);
}

TEST(Tensor, CopiesAreIndependentAndMovesLeaveNothing) {
  Tensor a = Tensor::filled(2, 2, 1.0F);
  Tensor b = a;
  b(0, 0) = 5.0F;
  EXPECT_EQ(a(0, 0), 1.0F);
  const Tensor c = std::move(b);
  EXPECT_EQ(c(0, 0), 5.0F);
  EXPECT_TRUE(b.empty());  // NOLINT: what a moved-from tensor holds is part of its contract
}

TEST(Tensor, ShapesThatCannotBeAreRefused) {
  EXPECT_THROW(Tensor(-1, 3), Error);
  EXPECT_THROW(Tensor(Index{1} << 40, Index{1} << 40), Error);
  EXPECT_THROW(AlignedBuffer<float>(Index{1} << 62), Error);
}

TEST(Tensor, EmptyShapesAreFine) {
  const Tensor t(0, 7);
  EXPECT_TRUE(t.empty());
  EXPECT_EQ(t.cols(), 7);
}

}  // namespace
}  // namespace fixtune
