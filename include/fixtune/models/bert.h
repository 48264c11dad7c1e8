#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "fixtune/core/log.h"
#include "fixtune/data/batch.h"
#include "fixtune/models/bert_config.h"
#include "fixtune/models/bert_layer.h"
#include "fixtune/models/parameter_source.h"
#include "fixtune/optim/adamw.h"
#include "fixtune/quant/recipe_map.h"

namespace fixtune {

/// How a BERT is opened for sequence classification or regression.
struct BertOptions {
  RecipeMap recipes;
  Index labels = 0;                      ///< outputs of the head; 0: as the folder has it
  bool new_head = false;                 ///< draw the head from the seed even if the folder has one
  std::uint64_t seed = 0;                ///< of what is drawn
  LogCallback log;
};

/// BERT with a head on the pooled [CLS] token: `logits = W_c dropout(tanh(W_p h_0 + b_p)) + b_c`.
class Bert {
 public:
  /// Reads a Hugging Face folder. Throws Error naming file, field or tensor.
  Bert(const std::filesystem::path& folder, const BertOptions& options);

  /// Logits `[sentences, labels]` of a packed batch. Throws Error for a token id or position past its table.
  Variable operator()(Pass& pass, const PackedBatch& batch);
  /// Last hidden states `[tokens, hidden]`.
  Variable encode(Pass& pass, const PackedBatch& batch);
  /// The embeddings that enter the first block, `[tokens, hidden]`.
  Variable embed(Pass& pass, const PackedBatch& batch);

  const BertConfig& config() const { return config_; }
  Index labels() const { return classifier_.weight.rows(); }
  std::vector<BertLayer>& layers() { return layers_; }
  /// Names of the linear layers that a recipe's patterns may match: the encoder's, the pooler and the head.
  std::vector<std::string> linear_names();
  /// All parameters in a fixed order, with their decay flags (none on biases and layer norms).
  std::vector<Parameter> parameters();
  /// Every prepared weight expires; to be called after each optimiser step.
  void weights_changed();

 private:
  BertConfig config_;
  Variable words_, positions_, segments_;
  LayerNorm embedding_norm_;
  std::vector<BertLayer> layers_;
  Linear pooler_, classifier_;
};

/// The number of outputs of the folder's stored classifier, or 0 where it has none.
Index stored_labels(const std::filesystem::path& folder);

}  // namespace fixtune
