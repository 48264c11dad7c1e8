#pragma once

#include <filesystem>

#include "fixtune/io/json.h"
#include "fixtune/models/bert_folder.h"

namespace fixtune::testing {

inline std::filesystem::path fixtures() { return FIXTUNE_FIXTURES; }
inline std::filesystem::path tiny_bert() { return fixtures() / "tiny_bert"; }

/// What transformers made of one step of the tiny BERT.
inline Json reference_step() { return read_json(fixtures() / "tiny_bert_step.json"); }

inline BertOptions options(const char* recipe = "fp32") {
  BertOptions o;
  o.recipes = {preset(recipe), {}};
  return o;
}

inline PackedBatch reference_batch() {
  const Json step = reference_step();
  std::vector<Encoding> encodings;
  for (std::size_t i = 0; i < step.at("ids").size(); ++i)
    encodings.push_back({step["ids"][i].get<std::vector<std::int32_t>>(),
                         step["segments"][i].get<std::vector<std::int32_t>>()});
  const auto labels = step.at("labels").get<std::vector<float>>();
  const std::vector<Index> indices{0, 1};
  return pack(encodings, labels, indices);
}

inline Tensor logits_of(Bert& bert) {
  Tape tape(/*recording=*/false);
  Pass pass{tape, {}, false, {}};
  return bert(pass, reference_batch()).value();
}

/// Largest difference between the folder's FP32 logits and those of transformers.
inline float difference_from_reference(const std::filesystem::path& folder) {
  Bert bert(folder, options());
  const Tensor logits = logits_of(bert);
  const auto expected = reference_step().at("logits").get<std::vector<float>>();
  float largest = 0.0F;
  for (std::size_t i = 0; i < expected.size(); ++i)
    largest = std::max(largest, std::abs(logits.data()[i] - expected[i]));
  return largest;
}

}  // namespace fixtune::testing
