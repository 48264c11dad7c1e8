#pragma once

#include <filesystem>
#include <string>

#include "fixtune/autograd/gelu.h"
#include "fixtune/io/json.h"

namespace fixtune {

/// The settings of a BERT folder's config.json that change numbers; everything else is kept in `document`.
struct BertConfig {
  Index hidden = 768;
  Index layers = 12;
  Index heads = 12;
  Index intermediate = 3072;
  Index vocabulary = 30522;
  Index positions = 512;
  Index segment_types = 2;
  Activation activation = Activation::Gelu;
  float layer_norm_epsilon = 1e-12F;
  float hidden_dropout = 0.1F;
  float attention_dropout = 0.1F;
  float classifier_dropout = 0.1F;
  float initializer_range = 0.02F;
  Json document = Json::object();  ///< the whole file, unknown fields included

  /// Reads config.json. What it cannot honour it refuses by name (hidden_act, position_embedding_type, model_type,
  /// a hidden size that the heads do not divide). Throws Error naming file and field.
  static BertConfig read(const std::filesystem::path& file);
};

/// Refuses a tokenizer whose ids go past the embedding table, and sentences longer than the position table.
/// `folder` names the model in the message.
void check_fits(const BertConfig& config, Index vocabulary, Index max_length, const std::string& folder);

}  // namespace fixtune
