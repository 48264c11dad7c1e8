// One linear layer on activations with outliers: forward and backward in every recipe, against FP32.
#include <fixtune/linear/linear.h>
#include <fmt/format.h>

#include <random>

using namespace fixtune;

int main() {
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  Matrix x(64, 256), w(128, 256), dy(64, 128);
  for (Matrix* m : {&x, &w, &dy})
    for (float& v : m->reshaped()) v = normal(generator);
  for (Index token = 0; token < 64; token += 4) x(token, 7) = 60.0F;  // the outliers

  const auto map = [](const Matrix& m) {
    return ConstMatrixMap(m.data(), m.rows(), m.cols(), Eigen::OuterStride<>(m.cols()));
  };
  const Matrix y = x * w.transpose(), dx = dy * w, dw = dy.transpose() * x;
  const auto error = [](const Tensor& a, const Matrix& b) { return (a.map() - b).norm() / b.norm(); };

  fmt::print("relative error     Y        dX        dW\n");
  for (const char* name : {"int8", "approach1", "approach2", "rowwise"}) {
    const QuantizedWeight weight = prepare_weight(map(w), preset(name));
    const LinearResult forward = linear_forward(map(x), weight, /*bias=*/nullptr);
    const LinearGradients g = linear_backward(map(dy), weight, forward.saved);
    fmt::print("{:<12} {:>9.5f} {:>9.5f} {:>9.5f}\n", name, error(forward.y, y), error(g.dx, dx), error(g.dw, dw));
  }
}
