// Holds the kernels of every instruction set of this CPU against each other.
#include "autograd/lane_kernels.h"

#include "autograd_testing.h"

namespace fixtune {
namespace {

using test::expect_near;
using test::random_tensor;
using test::same_bits;

const detail::DropoutMask mask{7, 0xfedcba98U, 0x40000000U, 4.0F / 3.0F};

struct Results {
  std::vector<Tensor> tensors;
};

Results norm(const detail::LaneKernels& kernels, bool bf16) {
  constexpr Index rows = 5, cols = 83;
  const Tensor x = random_tensor(rows, cols, 1), h = random_tensor(rows, cols, 2), dy = random_tensor(rows, cols, 3);
  const Tensor gamma = random_tensor(1, cols, 4), beta = random_tensor(1, cols, 5);
  const detail::ResidualNorm op{cols, gamma.data(), beta.data(), 1e-5F, mask};
  AlignedBuffer<std::uint16_t> kept(rows * cols);
  Tensor y(rows, cols), normalised = Tensor::zeros(rows, cols), inverse(1, rows);
  kernels.residual_norm_forward(op,
                                {x.data(), h.data(), y.data(), bf16 ? nullptr : normalised.data(),
                                 bf16 ? kept.data() : nullptr, inverse.data()},
                                0, rows);
  Tensor dx(rows, cols), dh(rows, cols), dgamma = Tensor::zeros(1, cols), dbeta = Tensor::zeros(1, cols);
  kernels.residual_norm_backward(op,
                                 {dy.data(), bf16 ? nullptr : normalised.data(), bf16 ? kept.data() : nullptr,
                                  inverse.data(), dx.data(), dh.data(), dgamma.data(), dbeta.data()},
                                 0, rows);
  return {{y, normalised, inverse, dx, dh, dgamma, dbeta}};
}

Results attention(const detail::LaneKernels& kernels, Index length, Index size, bool bf16) {
  const Tensor q = random_tensor(length, size, 1, 2.0F), k = random_tensor(length, size, 2, 2.0F);
  const Tensor v = random_tensor(length, size, 3), dy = random_tensor(length, size, 4);
  AlignedBuffer<std::uint32_t> mixed_keys((length + 15) / 16 * 16);
  for (Index i = 0; i < mixed_keys.size(); ++i) mixed_keys[i] = mix32(static_cast<std::uint32_t>(i) ^ mask.low);
  const detail::AttentionShape shape{size, size, 0.3F, bf16, mask, mixed_keys.data()};
  const detail::AttentionHead head{length, 0xfffffff0U};
  AlignedBuffer<float> scratch(kernels.attention_scratch(length, size));
  Tensor y(length, size), maximum(1, length), inverse_sum(1, length);
  detail::AttentionForward f;
  f.q = q.data(), f.k = k.data(), f.v = v.data(), f.y = y.data();
  f.rows = {maximum.data(), inverse_sum.data()};
  kernels.attention_forward(shape, head, f, scratch.data());
  Tensor dq(length, size), dk(length, size), dv(length, size);
  const detail::AttentionBackward b{{q.data(), nullptr}, {k.data(), nullptr}, {v.data(), nullptr}, f.rows,
                                    dy.data(),           dq.data(),           dk.data(),           dv.data()};
  kernels.attention_backward(shape, head, b, scratch.data());
  return {{y, maximum, inverse_sum, dq, dk, dv}};
}

/// Same bits, or close where one side has no fused multiply-add, or takes BF16 in pairs.
void expect_equal(const Results& a, const Results& b, bool same, double tolerance = 1e-5) {
  for (std::size_t i = 0; i < a.tensors.size(); ++i) {
    SCOPED_TRACE(i);
    if (same)
      EXPECT_TRUE(same_bits(a.tensors[i], b.tensors[i]));
    else
      expect_near(a.tensors[i], b.tensors[i], tolerance);
  }
}

TEST(LaneKernels, NormalisesToTheSameBitsOnEveryInstructionSet) {
  const detail::LaneKernelList list = detail::usable_lane_kernels();
  for (int i = 1; i < list.count; ++i)
    for (const bool bf16 : {false, true}) expect_equal(norm(*list.kernels[0], bf16), norm(*list.kernels[i], bf16), true);
}

TEST(LaneKernels, AttendsToTheSameBitsWhereMultiplyAddIsFused) {
  const detail::LaneKernelList list = detail::usable_lane_kernels();
  const auto fuses = [](const detail::LaneKernels& k) { return std::string_view(k.name) != "baseline"; };
  for (int i = 1; i < list.count; ++i)
    for (const Index length : {1, 31, 70})
      for (const Index size : {5, 32, 64}) {
        const bool same = fuses(*list.kernels[0]) == fuses(*list.kernels[i]);
        expect_equal(attention(*list.kernels[0], length, size, false), attention(*list.kernels[i], length, size, false),
                     same);
        // A weight whose sum differs in its last bit may round to the BF16 beside.
        const auto pairs = [](const detail::LaneKernels& k) { return std::string_view(k.name) == "avx512_bf16"; };
        const bool same_rounded = same && pairs(*list.kernels[0]) == pairs(*list.kernels[i]);
        expect_equal(attention(*list.kernels[0], length, size, true), attention(*list.kernels[i], length, size, true),
                     same_rounded, 4e-3);
      }
}

// The element number's upper half goes up in the middle of a vector.
TEST(LaneKernels, DrawTheStreamsNumbersAcrossTheCarry) {
  constexpr Index cols = 48;
  const RandomStream stream(RandomKey{.seed = 9}, 1);
  const Index first = ((Index{1} << 32) / cols);  // a row that holds element 2^32
  const Tensor x = Tensor::zeros(1, cols), h = random_tensor(1, cols, 2), one = Tensor::filled(1, cols, 1.0F);
  Tensor y(1, cols), dh(1, cols);
  const detail::ResidualNorm op{cols, one.data(), x.data(), 1e-5F,
                                {stream.low(), stream.high(), 0x80000000U, 2.0F}};
  const auto shifted = [&](const float* p) { return p - first * cols; };
  float inverse = 0.0F;
  for (int i = 0; i < detail::usable_lane_kernels().count; ++i) {
    const detail::LaneKernels& kernels = *detail::usable_lane_kernels().kernels[i];
    Tensor normalised(1, cols);
    kernels.residual_norm_forward(op,
                                  {shifted(x.data()), shifted(h.data()), const_cast<float*>(shifted(y.data())),
                                   const_cast<float*>(shifted(normalised.data())), nullptr, &inverse - first},
                                  first, 1);
    kernels.residual_norm_backward(op,
                                   {shifted(h.data()), shifted(normalised.data()), nullptr, &inverse - first, nullptr,
                                    const_cast<float*>(shifted(dh.data())), nullptr, nullptr},
                                   first, 1);
    for (Index c = 0; c < cols; ++c) {
      const bool keep = stream.uniform(static_cast<std::uint64_t>(first * cols + c)) >= 0.5F;
      EXPECT_EQ(dh(0, c) != 0.0F, keep) << c;
    }
  }
}

}  // namespace
}  // namespace fixtune
