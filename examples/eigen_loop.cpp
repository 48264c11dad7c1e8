// A training loop written by hand in Eigen, and the same loop with fixtune's integer layer in place of its products.
//
//     eigen_loop REVIEWS.tsv        # columns text and label; tools/fetch_quickstart_data.py fetches one
//
// Two layers on hashed words and character triples of real sentences. Both runs see the same batches; the program fails
// where their losses end further apart than `tolerance`.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <random>

#include "fixtune/core/parallel.h"
#include "fixtune/linear/linear.h"
#include "loops/hashed_text.h"
#include "program/run.h"

namespace {

using namespace fixtune;
using loops::HashedText;
using loops::hashed_text;

constexpr Index features = 2048, hidden = 1024, classes = 2, batch_rows = 512;
constexpr float rate = 0.1F, momentum = 0.9F;
constexpr double tolerance = 0.01;  // of the mean loss per sentence

// A layer of the loop. What fixtune replaces are its three products.
struct Layer {
  Matrix w, dw, velocity;
  Eigen::RowVectorXf b, db;

  Layer(Index out, Index in, std::mt19937& generator) : w(out, in), dw(out, in), velocity(Matrix::Zero(out, in)) {
    std::normal_distribution<float> normal(0.0F, std::sqrt(2.0F / static_cast<float>(in)));
    for (float& v : w.reshaped()) v = normal(generator);
    b = db = Eigen::RowVectorXf::Zero(out);
  }
  void update() {
    velocity = momentum * velocity - rate * dw;
    w += velocity;
    b -= rate * db;
  }
};

// y = x w^T + b; dw = dy^T x; dx = dy w.
struct EigenProducts {
  void forward(const Matrix& x, Layer& layer, Matrix& y) { y.noalias() = x * layer.w.transpose(), y.rowwise() += layer.b; }
  void backward(const Matrix& dy, const Matrix& x, Layer& layer, Matrix* dx) {
    layer.dw.noalias() = dy.transpose() * x;
    layer.db = dy.colwise().sum();
    if (dx != nullptr) dx->noalias() = dy * layer.w;
  }
};

// The same in INT8, into the loop's own matrices.
struct IntegerProducts {
  Recipe recipe = preset("rowwise");
  Workspace workspace;
  LinearContext context{.name = "layer", .workspace = &workspace};
  QuantizedWeight weight;
  LinearInput input;  // X in INT8, kept for the backward

  void forward(const Matrix& x, Layer& layer, Matrix& y) {
    weight = prepare_weight(layer.w, recipe, context);
    const LinearForward forward{&weight, layer.b.data(), map_of(y)};
    input = linear_forward(x, std::span(&forward, 1), context);
  }
  void backward(const Matrix& dy, const Matrix&, Layer& layer, Matrix* dx) {
    GradientTargets to{.dw = {layer.dw.data(), layer.dw.cols()}, .db = layer.db.data()};
    if (dx != nullptr) to.dx = {dx->data(), dx->cols()};
    linear_backward_into(to, dy, weight, input, context);
    ++context.random.step;  // the next dY is rounded with other numbers
  }
};

struct Outcome {
  double first_loss = 0.0, last_loss = 0.0, accuracy = 0.0, seconds = 0.0;
};

template <typename Products>
Outcome train(const HashedText& data, Index held_out, int epochs) {
  std::mt19937 generator(1);
  Layer first(hidden, features, generator), second(classes, hidden, generator);
  Products first_products, second_products;
  Matrix x(batch_rows, features), h(batch_rows, hidden), active, y(batch_rows, classes), dy, dh(batch_rows, hidden);
  std::vector<Index> order(data.labels.size() - static_cast<std::size_t>(held_out));
  std::iota(order.begin(), order.end(), held_out);

  const auto forward = [&] {
    first_products.forward(x, first, h);
    active = h.cwiseMax(0.0F);
    second_products.forward(active, second, y);
  };
  Outcome outcome;
  const auto start = std::chrono::steady_clock::now();
  for (int epoch = 0; epoch < epochs; ++epoch) {
    std::shuffle(order.begin(), order.end(), generator);
    double loss = 0.0;
    std::size_t seen = 0;
    for (; seen + batch_rows <= order.size(); seen += batch_rows) {
      for (Index r = 0; r < batch_rows; ++r) x.row(r) = data.x.row(order[seen + static_cast<std::size_t>(r)]);
      forward();
      dy = (y.colwise() - y.rowwise().maxCoeff()).array().exp();
      dy.array().colwise() /= dy.rowwise().sum().eval().array();
      for (Index r = 0; r < batch_rows; ++r) {
        float& p = dy(r, data.label(order[seen + static_cast<std::size_t>(r)]));
        loss -= std::log(static_cast<double>(p));
        p -= 1.0F;
      }
      dy /= static_cast<float>(batch_rows);
      second_products.backward(dy, active, second, &dh);
      dh = (h.array() > 0.0F).select(dh, 0.0F);
      first_products.backward(dh, x, first, nullptr);
      first.update();
      second.update();
    }
    outcome.last_loss = loss / static_cast<double>(seen);
    if (epoch == 0) outcome.first_loss = outcome.last_loss;
  }
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  Index right = 0, tried = 0;
  for (Index from = 0; from + batch_rows <= held_out; from += batch_rows) {
    x = data.x.middleRows(from, batch_rows);
    forward();
    for (Index r = 0; r < batch_rows; ++r, ++tried)
      right += static_cast<Index>(y(r, 1) > y(r, 0)) == data.label(from + r) ? 1 : 0;
  }
  outcome.accuracy = static_cast<double>(right) / static_cast<double>(tried);
  return outcome;
}

void report(const char* name, const Outcome& o) {
  fmt::print("{:<10} {:>11.4f} {:>10.4f} {:>9.4f} {:>8.2f}\n", name, o.first_loss, o.last_loss, o.accuracy, o.seconds);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"A training loop in Eigen, with and without integer products."};
  std::string file;
  int epochs = 10, threads = 0;
  app.add_option("file", file, "TSV, CSV or JSON Lines with columns text and label")->required();
  app.add_option("--epochs", epochs, "times through the sentences")->capture_default_str()->check(CLI::Range(1, 1000));
  program::add_threads(app, threads);
  return program::run(app, argc, argv, [&] {
    set_thread_count(threads);
    const HashedText data = hashed_text(file, features);
    const Index held_out = data.x.rows() / 10 / batch_rows * batch_rows;
    if (held_out == 0) fail("{}: needs {} sentences or more, has {}", file, 10 * batch_rows, data.x.rows());
    fmt::print("{} sentences, {} held out; {} features, {} hidden; Eigen compiled for {}\n", data.x.rows(), held_out,
               features, hidden, Eigen::SimdInstructionSetsInUse());
    fmt::print("products    first loss  last loss  accuracy  seconds\n");
    const Outcome eigen = train<EigenProducts>(data, held_out, epochs);
    report("Eigen FP32", eigen);
    const Outcome integer = train<IntegerProducts>(data, held_out, epochs);
    report("rowwise", integer);
    const double apart = std::abs(eigen.last_loss - integer.last_loss);
    fmt::print("losses {:.4f} apart (tolerance {}); {:.2f} times as fast\n", apart, tolerance,
               eigen.seconds / integer.seconds);
    if (!(apart <= tolerance)) fail("the losses are {:.4f} apart, more than {}", apart, tolerance);
  });
}
