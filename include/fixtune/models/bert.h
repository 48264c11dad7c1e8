#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "fixtune/models/bert_encoder.h"

namespace fixtune {

/// BERT with a head on the pooled [CLS] token, for classification or regression:
/// \f[ z = W_c \operatorname{dropout}\bigl(\tanh(W_p h_0 + b_p)\bigr) + b_c, \f]
/// h_0 the last hidden state of a sentence's first token.
class Bert : public BertEncoder {
 public:
  /// Reads a Hugging Face folder. Throws Error naming file, field or tensor.
  Bert(const std::filesystem::path& folder, const BertOptions& options);

  /// Logits `[sentences, labels]` of a packed batch. Throws Error for a token id or position past its table.
  Variable operator()(Pass& pass, const PackedBatch& batch);

  Index labels() const { return classifier_.weight.rows(); }  ///< Outputs of the head: classes, or 1 for a score.
  std::string_view architecture() const override { return "BertForSequenceClassification"; }
  std::vector<std::string> linear_names() override;
  std::vector<Parameter> parameters() override;
  void weights_changed() override;

 private:
  Bert(const std::filesystem::path& folder, const TensorSource& tensors, const BertOptions& options);

  Linear pooler_, classifier_;
};

/// The number of outputs of the folder's stored classifier, or 0 where it has none.
Index stored_labels(const std::filesystem::path& folder);

}  // namespace fixtune
