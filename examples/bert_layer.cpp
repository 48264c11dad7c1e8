// One encoder layer of a real BERT on real sentences, forward and backward, in every recipe against FP32.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "fixtune/core/parallel.h"
#include "fixtune/data/wordpiece.h"
#include "fixtune/models/bert.h"
#include "program/run.h"

namespace {

using namespace fixtune;

const char* const sentences[] = {
    "The river froze early that year, and the boats stayed where they were until March.",
    "She had promised herself, twice, that she would not read the letter before breakfast.",
    "Nobody at the station could say when the last train to the coast had left.",
    "A good map tells you not only where the road goes, but where it stops.",
    "The committee met on Thursday; by Friday evening, half of its members had resigned.",
    "Rain fell on the tin roof all night, and the dog would not come out from under the bed.",
    "He measured the plank three times, cut it once, and still it came out short.",
    "In 1912 the observatory bought a second telescope, for 4,300 dollars, from a bankrupt brewer.",
};

struct Options {
  std::string model;
  Index layer = -1;
  int threads = 0;
};

/// What one forward and backward of the layer gave.
struct Outcome {
  Tensor output;
  std::vector<Tensor> gradients;
  double milliseconds = 0.0;
  Index outliers = 0;
  Index elements = 0;
};

PackedBatch batch_of_sentences(const std::string& model, Index max_length) {
  const WordPiece tokenizer = WordPiece::from_folder(model, program::notice);
  std::vector<Encoding> encodings;
  for (const char* text : sentences) encodings.push_back(tokenizer.encode(text, std::nullopt, max_length));
  const std::vector<float> labels(encodings.size(), 0.0F);
  std::vector<Index> indices(encodings.size());
  std::iota(indices.begin(), indices.end(), 0);
  return pack(encodings, labels, indices);
}

/// The FP32 activations that enter the layer.
Tensor layer_input(Bert& bert, const PackedBatch& batch, Index layer) {
  Tape tape(/*recording=*/false);
  Pass pass{tape, {}, false, {}};
  Variable x = bert.embed(pass, batch);
  for (Index i = 0; i < layer; ++i) x = bert.layers()[static_cast<std::size_t>(i)](pass, x, batch.offsets);
  return x.value();
}

/// The loss is half the output's sum of squares, so that the gradient which enters is the output itself.
Outcome run_layer(BertLayer& layer, const Tensor& input, const PackedBatch& batch) {
  Outcome outcome;
  const auto start = std::chrono::steady_clock::now();
  Tape tape;
  Pass pass{tape, {}, false, [&](std::string_view, const OutlierStatistics& s) {
              outcome.outliers += s.outliers;
              outcome.elements += s.elements;
            }};
  const Variable x(input, /*requires_grad=*/true);
  const Variable y = layer(pass, x, batch.offsets);
  outcome.output = y.value();
  tape.backward_from(y, y.value());
  outcome.milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  outcome.gradients.push_back(x.grad());
  layer.for_each_linear([&](Linear& l) {
    outcome.gradients.push_back(l.weight.grad());
    l.weight.zero_grad();
    l.bias.zero_grad();
  });
  return outcome;
}

double relative_error(const std::vector<Tensor>& actual, const std::vector<Tensor>& expected) {
  double difference = 0.0;
  double norm = 0.0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    difference += (actual[i].map() - expected[i].map()).cast<double>().squaredNorm();
    norm += expected[i].map().cast<double>().squaredNorm();
  }
  return std::sqrt(difference / norm);
}

void compare_recipes(const Options& o) {
  set_thread_count(o.threads);
  BertOptions options;
  options.recipes = {preset("fp32"), {}};
  options.labels = 2;
  options.new_head = true;
  Bert bert(o.model, options);
  const PackedBatch batch = batch_of_sentences(o.model, std::min<Index>(128, bert.config().positions));
  const Index layer_index = o.layer < 0 ? bert.config().layers - 1 : o.layer;
  if (layer_index >= bert.config().layers)
    fail("--layer {}: the model has layers 0 to {}", o.layer, bert.config().layers - 1);
  const Tensor input = layer_input(bert, batch, layer_index);
  fmt::print("encoder layer {}, {} sentences, {} tokens, {} threads\n", layer_index, batch.sentences(),
             batch.tokens(), thread_count());
  fmt::print("{:<10} {:>12} {:>15} {:>10} {:>9}\n", "recipe", "output error", "gradient error", "outliers", "ms");

  const TensorSource tensors(o.model);
  ParameterSource source(tensors, bert.config().initializer_range, 0, {});
  Outcome exact;
  for (const std::string& recipe : preset_names()) {
    BertLayer layer(fmt::format("encoder.layer.{}", layer_index), bert.config(), source, {preset(recipe), {}});
    run_layer(layer, input, batch);  // warms caches and primitives
    layer.for_each_linear([](Linear& l) { l.weight_changed(); });
    Outcome outcome = run_layer(layer, input, batch);
    if (recipe == "fp32") exact = outcome;
    const std::string outliers =
        outcome.elements == 0 ? "-"
                              : fmt::format("{:.3f} %", 100.0 * static_cast<double>(outcome.outliers) /
                                                            static_cast<double>(outcome.elements));
    std::vector<Tensor> output;
    output.push_back(outcome.output);
    std::vector<Tensor> exact_output;
    exact_output.push_back(exact.output);
    fmt::print("{:<10} {:>12.5f} {:>15.5f} {:>10} {:>9.2f}\n", recipe, relative_error(output, exact_output),
               relative_error(outcome.gradients, exact.gradients), outliers, outcome.milliseconds);
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Run one encoder layer in every recipe against FP32", "bert_layer");
  Options o;
  app.add_option("--model", o.model, "Hugging Face folder of a BERT")->required();
  app.add_option("--layer", o.layer, "which layer (default: the last)")->check(CLI::NonNegativeNumber);
  program::add_threads(app, o.threads);
  return program::run(app, argc, argv, [&] { compare_recipes(o); });
}
