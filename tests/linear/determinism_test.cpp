// The same bits forward and backward on every kernel of this CPU, on one, two and four threads, by every preset.
#include <gtest/gtest.h>

#include <cstring>

#include "fixtune/core/random.h"
#include "fixtune/linear/linear.h"
#include "on_threads.h"

namespace fixtune {
namespace {

Tensor values(Index rows, Index cols, std::uint64_t seed, float scale) {
  const RandomStream random({seed, 0, 0}, tensor_id("values"));
  Tensor x(rows, cols);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = scale * (random.uniform(static_cast<std::uint64_t>(i)) - 0.5F);
  return x;
}

struct Results {
  Tensor y, dx, dw, db;
};

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() && std::memcmp(a.data(), b.data(), a.bytes()) == 0;
}

class LinearDeterminism : public ::testing::TestWithParam<std::string> {
 protected:
  LinearDeterminism() {
    for (Index r = 0; r < x_.rows(); r += 7) x_(r, r % x_.cols()) = 20.0F + static_cast<float>(r);
  }
  ~LinearDeterminism() override { use_packed_kernel(best_); }

  Results results(PackedKernel kernel, int threads) const {
    use_packed_kernel(kernel);
    const OnThreads use(threads);
    EXPECT_EQ(thread_count(), threads);
    const QuantizedWeight weight = prepare_weight(w_, recipe_);
    LinearResult forward = linear_forward(x_, weight, bias_.data());
    LinearGradients g = linear_backward(dy_, weight, forward.saved);
    return {std::move(forward.y), std::move(g.dx), std::move(g.dw), std::move(g.db)};
  }

 private:
  const PackedKernel best_ = active_packed_kernel();
  const Recipe recipe_ = preset(GetParam());
  Tensor x_ = values(601, 205, 1, 2.0F);
  const Tensor w_ = values(333, 205, 2, 0.2F), dy_ = values(601, 333, 3, 1e-3F), bias_ = values(1, 333, 4, 1.0F);
};

TEST_P(LinearDeterminism, KernelsAndThreadsChangeNoBit) {
  const Results expected = results(PackedKernel::Portable, 1);
  for (const PackedKernel kernel : available_packed_kernels())
    for (const int threads : {1, 2, 4}) {
      const Results found = results(kernel, threads);
      EXPECT_TRUE(same_bits(found.y, expected.y)) << name(kernel) << ", " << threads << " threads";
      EXPECT_TRUE(same_bits(found.dx, expected.dx)) << name(kernel) << ", " << threads << " threads";
      EXPECT_TRUE(same_bits(found.dw, expected.dw)) << name(kernel) << ", " << threads << " threads";
      EXPECT_TRUE(same_bits(found.db, expected.db)) << name(kernel) << ", " << threads << " threads";
    }
}

std::vector<std::string> integer_presets() {
  std::vector<std::string> names;
  for (const std::string& name : preset_names())
    if (preset(name).arithmetic == Arithmetic::Integer) names.push_back(name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Presets, LinearDeterminism, ::testing::ValuesIn(integer_presets()),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace fixtune
