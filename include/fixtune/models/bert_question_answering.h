#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "fixtune/models/bert_encoder.h"

namespace fixtune {

/// BERT with a head on every token that says where an answer starts and ends: \f$ Z = H W^T + b \f$,
/// W `[2, hidden]` (`qa_outputs`), H the last hidden states. There is no pooler.
class BertQuestionAnswering : public BertEncoder {
 public:
  /// Reads a Hugging Face folder; with `options.labels` 2 a head that is missing is drawn from the seed, with 0 it is
  /// refused. Throws Error naming file, field or tensor.
  BertQuestionAnswering(const std::filesystem::path& folder, const BertOptions& options);

  /// Logits `[tokens, 2]` (start, end) of a packed batch. Throws Error for a token id or position past its table.
  Variable operator()(Pass& pass, const PackedBatch& batch);

  std::string_view architecture() const override { return "BertForQuestionAnswering"; }
  std::vector<std::string> linear_names() override;
  std::vector<Parameter> parameters() override;
  void weights_changed() override;

 private:
  BertQuestionAnswering(const std::filesystem::path& folder, const TensorSource& tensors, const BertOptions& options);

  Linear outputs_;
};

}  // namespace fixtune
