#pragma once

#include <filesystem>
#include <string>

#include "fixtune/autograd/gelu.h"
#include "fixtune/io/json.h"

namespace fixtune {

/// The settings of a BERT folder's config.json that change numbers; everything else is kept in `document`.
struct BertConfig {
  Index hidden = 768;          ///< features of a token (hidden_size)
  Index layers = 12;           ///< encoder blocks (num_hidden_layers)
  Index heads = 12;            ///< of attention, each of hidden / heads features (num_attention_heads)
  Index intermediate = 3072;   ///< features inside the feed-forward part (intermediate_size)
  Index vocabulary = 30522;    ///< rows of the word table (vocab_size)
  Index positions = 512;       ///< tokens of the longest sentence, rows of the position table (max_position_embeddings)
  Index segment_types = 2;     ///< rows of the segment table (type_vocab_size)
  Activation activation = Activation::Gelu;  ///< of the feed-forward part (hidden_act)
  float layer_norm_epsilon = 1e-12F;         ///< added to the variance of a row (layer_norm_eps)
  float hidden_dropout = 0.1F;      ///< of the embeddings and of what a residual adds (hidden_dropout_prob)
  float attention_dropout = 0.1F;   ///< of attention's weights (attention_probs_dropout_prob)
  float classifier_dropout = 0.1F;  ///< of what Bert's head reads (classifier_dropout, else as hidden_dropout)
  float initializer_range = 0.02F;  ///< standard deviation of a new head's weights (initializer_range)
  Json document = Json::object();  ///< the whole file, unknown fields included

  /// Reads config.json. What it cannot honour it refuses by name (hidden_act, position_embedding_type, model_type,
  /// a hidden size that the heads do not divide). Throws Error naming file and field.
  static BertConfig read(const std::filesystem::path& file);
};

/// Refuses a tokenizer whose ids go past the embedding table, and sentences longer than the position table.
/// `folder` names the model in the message.
void check_fits(const BertConfig& config, Index vocabulary, Index max_length, const std::string& folder);

}  // namespace fixtune
