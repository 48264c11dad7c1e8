#include "fixtune/autograd/span_loss.h"

#include "autograd_testing.h"
#include "operation_fixtures.h"

namespace fixtune {
namespace {

using test::expect_near;
using test::operation_fixture;
using test::random_tensor;
using test::tensor_from;

TEST(SpanCrossEntropy, EqualsPyTorch) {
  const auto f = operation_fixture("span_cross_entropy");
  const auto offsets = f["offsets"].get<std::vector<Index>>();
  const auto first = f["first"].get<std::vector<std::int32_t>>();
  const auto last = f["last"].get<std::vector<std::int32_t>>();
  const Variable logits(tensor_from(f["logits"]), true);
  Tape tape;
  const Variable loss = span_cross_entropy(tape, logits, offsets, first, last);
  EXPECT_NEAR(loss.value()(0, 0), f["loss"].get<double>(), 1e-6);
  tape.backward(loss);
  expect_near(logits.grad(), tensor_from(f["gradients"][0]), 1e-7);
}

TEST(SpanCrossEntropy, OfNoWindowsIsZero) {
  Tape tape;
  const std::vector<Index> offsets{0};
  EXPECT_EQ(span_cross_entropy(tape, Variable(Tensor(0, 2), true), offsets, {}, {}).value()(0, 0), 0.0F);
}

TEST(SpanCrossEntropy, RefusesAPositionOutsideItsWindow) {
  const Variable logits(random_tensor(5, 2, 1), true);
  const std::vector<Index> offsets{0, 3, 5};
  const std::vector<std::int32_t> inside{2, 1};
  Tape tape;
  for (const std::int32_t wrong : {2, -1}) {
    const std::vector<std::int32_t> outside{0, wrong};
    EXPECT_THROW(span_cross_entropy(tape, logits, offsets, outside, inside), Error);
    EXPECT_THROW(span_cross_entropy(tape, logits, offsets, inside, outside), Error);
  }
}

TEST(SpanCrossEntropy, RefusesOtherShapes) {
  const std::vector<Index> offsets{0, 3, 5};
  const std::vector<std::int32_t> two{0, 0};
  const std::vector<std::int32_t> one{0};
  Tape tape;
  EXPECT_THROW(span_cross_entropy(tape, Variable(Tensor(5, 3)), offsets, two, two), Error);
  EXPECT_THROW(span_cross_entropy(tape, Variable(Tensor(4, 2)), offsets, two, two), Error);
  EXPECT_THROW(span_cross_entropy(tape, Variable(Tensor(5, 2)), offsets, two, one), Error);
  EXPECT_THROW(span_cross_entropy(tape, Variable(Tensor(5, 2)), offsets, one, one), Error);
}

}  // namespace
}  // namespace fixtune
