// An outside program: one integer linear layer, forward and backward, beside the same in FP32.
#include <fixtune/fixtune.h>

#include <fmt/format.h>

#include <cstdlib>

namespace {

fixtune::Tensor values(fixtune::Index rows, fixtune::Index cols, std::uint64_t seed) {
  const fixtune::RandomStream random({seed, 0, 0}, 1);
  fixtune::Tensor t(rows, cols);
  for (fixtune::Index i = 0; i < t.size(); ++i) t.data()[i] = random.uniform(static_cast<std::uint64_t>(i)) - 0.5F;
  return t;
}

double distance(const fixtune::Tensor& found, const fixtune::Matrix& expected) {
  return static_cast<double>((found.map() - expected).norm() / expected.norm());
}

}  // namespace

int main() {
  fixtune::Tensor x = values(64, 96, 1);
  x(3, 5) = 40.0F;  // an outlier
  const fixtune::Tensor w = values(48, 96, 2), dy = values(64, 48, 3);
  // Memory of this program's own making, as wide as its instruction set aligns it.
  const fixtune::Matrix own = w.map();

  const fixtune::QuantizedWeight weight = fixtune::prepare_weight(own, fixtune::preset("rowwise"));
  const fixtune::LinearResult forward = fixtune::linear_forward(x, weight, nullptr);
  const fixtune::LinearGradients g = fixtune::linear_backward(dy, weight, forward.saved);

  const double y_error = distance(forward.y, x.map() * w.map().transpose());
  const double dx_error = distance(g.dx, dy.map() * w.map());
  const double dw_error = distance(g.dw, dy.map().transpose() * x.map());
  fmt::print("Y {:.4f}, dX {:.4f}, dW {:.4f} from FP32\n", y_error, dx_error, dw_error);
  return y_error < 0.02 && dx_error < 0.02 && dw_error < 0.02 ? EXIT_SUCCESS : EXIT_FAILURE;
}
