// The integer layer inside a LibTorch program: a torch::autograd::Function whose three products are fixtune's.
//
//     libtorch_loop REVIEWS.tsv        # columns text and label
//
// Two layers on hashed words of real sentences, once with torch::nn::Linear's products and once in INT8, on the same
// batches; the program fails where their losses end further apart than `tolerance`.
#include <torch/torch.h>
// LibTorch first: its macros and ours do not meet.
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cmath>

#include "fixtune/core/parallel.h"
#include "fixtune/linear/linear.h"
#include "loops/hashed_text.h"
#include "program/run.h"

namespace {

using fixtune::Index;

constexpr Index features = 2048, hidden = 1024, classes = 2, batch_rows = 512;
constexpr double tolerance = 0.01;  // of the mean loss per sentence

fixtune::ConstMatrixMap view_of(const torch::Tensor& t) {
  return fixtune::map_of(static_cast<const float*>(t.data_ptr<float>()), t.size(0), t.size(1), t.stride(0));
}

/// y = x w^T + b in INT8, and its gradients.
struct IntegerLinear : torch::autograd::Function<IntegerLinear> {
  /// Lives from forward to backward: INT8 codes of X and W, no floats.
  struct Kept : torch::CustomClassHolder {
    fixtune::QuantizedWeight weight;
    fixtune::LinearInput input;
  };

  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& x_any,
                               const torch::Tensor& w, const torch::Tensor& b) {
    const torch::Tensor x = x_any.contiguous();
    const fixtune::Recipe recipe = fixtune::preset("rowwise");
    auto kept = c10::make_intrusive<Kept>();
    kept->weight = fixtune::prepare_weight(view_of(w), recipe);
    torch::Tensor y = torch::empty({x.size(0), w.size(0)});
    const fixtune::LinearForward layer{&kept->weight, b.data_ptr<float>(),
                                       fixtune::map_of(y.data_ptr<float>(), y.size(0), y.size(1), y.stride(0))};
    kept->input = fixtune::linear_forward(view_of(x), std::span(&layer, 1));
    context->saved_data["kept"] = c10::IValue::make_capsule(kept);
    context->saved_data["dx"] = x_any.requires_grad();
    return y;
  }

  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* context,
                                               torch::autograd::tensor_list gradients) {
    const auto holder = context->saved_data["kept"].toCapsule();
    const auto& kept = static_cast<const Kept&>(*holder);
    const torch::Tensor dy = gradients[0].contiguous();
    const Index out = kept.weight.out_features(), in = kept.weight.in_features();
    torch::Tensor dx, dw = torch::empty({out, in}), db = torch::empty({out});
    fixtune::GradientTargets to{.dw = {dw.data_ptr<float>(), in}, .db = db.data_ptr<float>()};
    if (context->saved_data["dx"].toBool()) {
      dx = torch::empty({dy.size(0), in});
      to.dx = {dx.data_ptr<float>(), in};
    }
    // Every dY is rounded with numbers of its own.
    static std::atomic<std::uint64_t> calls = 0;
    const fixtune::LinearContext numbers{.random = {.step = calls++}};
    fixtune::linear_backward_into(to, view_of(dy), kept.weight, kept.input, numbers);
    return {dx, dw, db};
  }
};

struct Outcome {
  double first_loss = 0.0, last_loss = 0.0, seconds = 0.0;
};

Outcome train(const torch::Tensor& x, const torch::Tensor& labels, bool integer, int epochs) {
  torch::manual_seed(1);
  torch::nn::Linear first(features, hidden), second(hidden, classes);
  std::vector<torch::Tensor> parameters = first->parameters();
  for (const torch::Tensor& p : second->parameters()) parameters.push_back(p);
  torch::optim::SGD optimiser(parameters, torch::optim::SGDOptions(0.1).momentum(0.9));
  const auto apply = [&](torch::nn::Linear& layer, const torch::Tensor& input) {
    return integer ? IntegerLinear::apply(input, layer->weight, layer->bias) : layer(input);
  };
  Outcome outcome;
  const auto start = std::chrono::steady_clock::now();
  for (int epoch = 0; epoch < epochs; ++epoch) {
    const torch::Tensor order = torch::randperm(x.size(0));
    double loss_sum = 0.0;
    Index batches = 0;
    for (; (batches + 1) * batch_rows <= x.size(0); ++batches) {
      const torch::Tensor rows = order.slice(0, batches * batch_rows, (batches + 1) * batch_rows);
      const torch::Tensor y = apply(second, torch::relu(apply(first, x.index_select(0, rows))));
      const torch::Tensor loss = torch::nn::functional::cross_entropy(y, labels.index_select(0, rows));
      optimiser.zero_grad();
      loss.backward();
      optimiser.step();
      loss_sum += loss.item<double>();
    }
    outcome.last_loss = loss_sum / static_cast<double>(batches);
    if (epoch == 0) outcome.first_loss = outcome.last_loss;
  }
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return outcome;
}

void report(const char* name, const Outcome& o) {
  fmt::print("{:<13} {:>10.4f} {:>10.4f} {:>8.2f}\n", name, o.first_loss, o.last_loss, o.seconds);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"A LibTorch training loop, with and without integer products."};
  std::string file;
  int epochs = 10, threads = 0;
  app.add_option("file", file, "TSV, CSV or JSON Lines with columns text and label")->required();
  app.add_option("--epochs", epochs, "times through the sentences")->capture_default_str()->check(CLI::Range(1, 1000));
  fixtune::program::add_threads(app, threads);
  return fixtune::program::run(app, argc, argv, [&] {
    torch::set_num_threads(fixtune::set_thread_count(threads));
    loops::HashedText data = loops::hashed_text(file, features);
    if (data.x.rows() < batch_rows) fixtune::fail("{}: needs {} sentences or more, has {}", file, batch_rows, data.x.rows());
    const torch::Tensor x = torch::from_blob(data.x.data(), {data.x.rows(), features});
    const torch::Tensor labels = torch::tensor(std::vector<std::int64_t>(data.labels.begin(), data.labels.end()));
    fmt::print("{} sentences; {} features, {} hidden\n", data.x.rows(), features, hidden);
    fmt::print("products      first loss  last loss  seconds\n");
    const Outcome floats = train(x, labels, /*integer=*/false, epochs);
    report("LibTorch FP32", floats);
    const Outcome integers = train(x, labels, /*integer=*/true, epochs);
    report("rowwise", integers);
    const double apart = std::abs(floats.last_loss - integers.last_loss);
    fmt::print("losses {:.4f} apart (tolerance {}); {:.2f} times as fast\n", apart, tolerance,
               floats.seconds / integers.seconds);
    if (!(apart <= tolerance)) fixtune::fail("the losses are {:.4f} apart, more than {}", apart, tolerance);
  });
}
