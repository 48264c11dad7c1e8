// A step of training repeated asks the system for no memory.
#include <gtest/gtest.h>

#include <algorithm>

#include "fixtune/core/workspace.h"
#include "fixtune/io/file.h"
#include "fixtune/optim/adamw.h"
#include "fixtune/train/classification.h"
#include "temporary_folder.h"
#include "tiny_bert.h"

namespace fixtune {
namespace {

using namespace testing;

constexpr Index hidden = 64, intermediate = 256, layers = 12, sentences = 32, length = 64;

std::vector<Index> larger(const std::string& name, std::vector<Index> shape) {
  for (Index& size : shape) size = size == 8 ? hidden : size == 16 ? intermediate : size;
  if (name.find("position_embeddings") != std::string::npos) shape[0] = length;
  return shape;
}

/// The tiny model's tensors with a BERT's proportions, and as many layers.
void write_deep_bert(const std::filesystem::path& folder) {
  Json config = read_json(tiny_bert() / "config.json");
  config["hidden_size"] = hidden;
  config["intermediate_size"] = intermediate;
  config["num_hidden_layers"] = layers;
  config["max_position_embeddings"] = length;
  write_file_atomically(folder / "config.json", config.dump());
  std::vector<Tensor> tensors;
  tensors.reserve(layers * 32);
  std::vector<NamedTensor> named;
  const auto add = [&](const std::string& name, const std::vector<Index>& shape) {
    Tensor& tensor = tensors.emplace_back(shape.size() == 1 ? 1 : shape[0], shape.back());
    for (Index i = 0; i < tensor.size(); ++i) tensor.data()[i] = 0.02F * static_cast<float>(i % 7 - 3);
    if (name.ends_with("LayerNorm.weight")) std::fill_n(tensor.data(), tensor.size(), 1.0F);
    named.push_back({name, shape, &tensor});
  };
  for (const auto& [name, entry] : SafetensorsFile(tiny_bert() / "model.safetensors").entries) {
    const std::size_t at = name.find("layer.0.");
    for (Index i = 0; i < (at == std::string::npos ? 1 : layers); ++i) {
      std::string own = name;
      if (at != std::string::npos) own.replace(at, 8, "layer." + std::to_string(i) + ".");
      add(own, larger(name, entry.shape));
    }
  }
  write_safetensors(folder / "model.safetensors", named);
}

PackedBatch batch_of_equal_sentences() {
  std::vector<Encoding> encodings(sentences);
  std::vector<float> labels(sentences);
  std::vector<Index> indices;
  for (std::size_t s = 0; s < encodings.size(); ++s) {
    for (Index t = 0; t < length; ++t)
      encodings[s].ids.push_back(static_cast<std::int32_t>((static_cast<Index>(s) + 3 * t) % 40));
    encodings[s].segments.assign(length, 0);
    labels[s] = static_cast<float>(s % 2);
    indices.push_back(static_cast<Index>(s));
  }
  return pack(encodings, labels, indices);
}

TEST(SteadyMemory, ARepeatedStepAsksTheSystemForNone) {
  { const AlignedBuffer<char> buffer(1 << 20); }
  if (Workspace::shared().use().kept == 0) GTEST_SKIP() << "buffers are not kept in this build";
  const TemporaryFolder scratch;
  write_deep_bert(scratch.path());
  // FP32 last: what it had in use would leave the others room enough.
  for (const char* recipe : {"rowwise", "approach2", "fp32"}) {
    Bert bert(scratch.path(), options(recipe));
    const std::vector<Parameter> parameters = bert.parameters();
    AdamW optimizer(parameters);
    const PackedBatch batch = batch_of_equal_sentences();
    std::vector<std::size_t> asked;
    for (std::uint64_t step = 0; step < 5; ++step) {
      Tape tape;
      Pass pass{tape, {/*seed=*/0, step, /*micro_batch=*/0}, /*training=*/true, {}};
      const Variable loss = task_loss(tape, bert(pass, batch), batch.labels, /*regression=*/false);
      tape.backward(loss);
      optimizer.step(1e-4F, 1.0F);
      optimizer.zero_grad();
      bert.weights_changed();
      asked.push_back(Workspace::shared().use().asked);
    }
    // Lists of outliers may still grow by a little.
    constexpr std::size_t little = 1 << 16;
    EXPECT_LE(asked[4], asked[1] + little) << recipe;
  }
}

}  // namespace
}  // namespace fixtune
