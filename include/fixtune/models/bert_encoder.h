#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "fixtune/core/log.h"
#include "fixtune/data/batch.h"
#include "fixtune/models/bert_config.h"
#include "fixtune/models/bert_layer.h"
#include "fixtune/models/parameter_source.h"
#include "fixtune/optim/parameter.h"
#include "fixtune/quant/recipe_map.h"

namespace fixtune {

/// How a BERT with a head is opened.
struct BertOptions {
  RecipeMap recipes;          ///< of the linear layers by name, and of attention
  Index labels = 0;           ///< outputs of the head; 0: as the folder has it
  bool new_head = false;      ///< draw the head from the seed even if the folder has one
  std::uint64_t seed = 0;     ///< of what is drawn
  bool for_training = false;  ///< gradients and the optimiser's moments must fit into memory too
  LogCallback log;            ///< told of each layer that is drawn; may be empty
};

/// BERT without a head: embeddings and encoder blocks. What each kind of head adds is a class derived from it.
class BertEncoder {
 public:
  virtual ~BertEncoder() = default;
  /// Leaves the other without parameters: only to be assigned to or destroyed.
  ///@{
  BertEncoder(BertEncoder&&) = default;
  BertEncoder& operator=(BertEncoder&&) = default;
  ///@}

  /// Last hidden states `[tokens, hidden]` of a packed batch. Throws Error for a token id or position past its table.
  Variable encode(Pass& pass, const PackedBatch& batch);
  /// The embeddings that enter the first block, `[tokens, hidden]`.
  Variable embed(Pass& pass, const PackedBatch& batch);

  const BertConfig& config() const { return config_; }  ///< As the folder's config.json has it.
  std::vector<BertLayer>& layers() { return layers_; }  ///< The encoder blocks, from the input on.
  /// Names of the linear layers that a recipe's patterns may match: the encoder's, and those of the head.
  virtual std::vector<std::string> linear_names();

  /// The class that transformers loads a saved folder as.
  virtual std::string_view architecture() const = 0;
  /// All parameters in a fixed order, with their decay flags (none on biases and layer norms).
  virtual std::vector<Parameter> parameters();
  /// Every prepared weight expires; to be called after each optimiser step.
  virtual void weights_changed();

 protected:
  /// Reads the encoder of a folder. Throws Error naming file, field or tensor, or where its parameters (in training
  /// also gradients and moments) need more memory than there is.
  BertEncoder(const std::filesystem::path& folder, const TensorSource& tensors, const BertOptions& options);
  /// A linear layer `[out, hidden]` of the head, from the folder or (where it lacks it, or `fresh`) from the seed.
  Linear head_linear(const TensorSource& tensors, const BertOptions& options, const std::string& name, Index out,
                     bool fresh) const;
  /// Refuses recipe patterns that match no layer; to be called once the head is there.
  void refuse_unmatched(const RecipeMap& recipes, const std::filesystem::path& folder);

 private:
  BertConfig config_;
  Variable words_, positions_, segments_;
  LayerNorm embedding_norm_;
  std::vector<BertLayer> layers_;
};

/// Appends a linear layer's weight and bias; biases do not decay.
void add_parameters(Linear& linear, std::vector<Parameter>& parameters);

}  // namespace fixtune
