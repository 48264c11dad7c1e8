// Writes one FP32 step without dropout (logits, every gradient, the batch, the model) for a check against PyTorch.
#include <fmt/format.h>

#include <numeric>

#include "fixtune/data/text_table.h"
#include "fixtune/io/file.h"
#include "fixtune/models/bert_folder.h"
#include "fixtune/train/classification.h"
#include "fixtune/train/recipe_file.h"
#include "program/run.h"

namespace {

using namespace fixtune;

struct Options {
  std::string model, data, out, recipe = "fp32";
  Index rows = 32;
  Index max_length = 128;
};

Json batch_document(const EncodedDataset& data) {
  Json ids = Json::array();
  Json segments = Json::array();
  for (const Encoding& e : data.encodings) {
    ids.push_back(e.ids);
    segments.push_back(e.segments);
  }
  return {{"ids", ids}, {"segments", segments}, {"labels", data.labels}};
}

void write_step(Bert& bert, const Tensor& logits, const std::filesystem::path& file) {
  std::vector<NamedTensor> tensors{{"logits", {logits.rows(), logits.cols()}, &logits}};
  const std::vector<Parameter> parameters = bert.parameters();
  for (const Parameter& p : parameters) {
    const Tensor& grad = p.variable.grad();
    const std::string prefix = p.variable.name().starts_with("classifier.") ? "grad." : "grad.bert.";
    tensors.push_back({prefix + p.variable.name(), {grad.rows(), grad.cols()}, &grad});
  }
  write_safetensors(file, tensors);
}

void dump(const Options& o) {
  BertOptions options;
  options.recipes = read_recipes(o.recipe);
  options.labels = 2;
  options.new_head = true;
  Bert bert(o.model, options);
  Dataset dataset = read_text(o.data, {});
  if (static_cast<Index>(dataset.examples.size()) > o.rows)
    dataset.examples.resize(static_cast<std::size_t>(o.rows));
  const EncodedDataset data = encode(dataset, WordPiece::from_folder(o.model), o.max_length);
  std::vector<Index> order(static_cast<std::size_t>(data.size()));
  std::iota(order.begin(), order.end(), 0);

  Tape tape;
  Pass pass{tape, {}, /*training=*/false, {}};
  const Variable logits = bert(pass, data.batch(order, 0, data.size()));
  tape.backward(task_loss(tape, logits, data.labels, /*regression=*/false));

  const std::filesystem::path out(o.out);
  save_bert(bert, {}, o.model, out / "model");
  write_step(bert, logits.value(), out / "step.safetensors");
  write_file_atomically(out / "batch.json", batch_document(data).dump() + "\n");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Write one step for a check against PyTorch", "dump_gradients");
  Options o;
  app.add_option("--model", o.model)->required();
  app.add_option("--data", o.data, "table with columns text and label")->required();
  app.add_option("--out", o.out)->required();
  app.add_option("--recipe", o.recipe)->capture_default_str();
  app.add_option("--rows", o.rows)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--max-length", o.max_length)->check(CLI::PositiveNumber)->capture_default_str();
  return program::run(app, argc, argv, [&] { dump(o); });
}
