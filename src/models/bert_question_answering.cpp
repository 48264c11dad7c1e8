#include "fixtune/models/bert_question_answering.h"

namespace fixtune {
namespace {

constexpr Index ends = 2;

}  // namespace

BertQuestionAnswering::BertQuestionAnswering(const std::filesystem::path& folder, const BertOptions& options)
    : BertQuestionAnswering(folder, TensorSource(folder), options) {}

BertQuestionAnswering::BertQuestionAnswering(const std::filesystem::path& folder, const TensorSource& tensors,
                                             const BertOptions& options)
    : BertEncoder(folder, tensors, options) {
  if (options.labels != 0 && options.labels != ends) fail("a span head has {} outputs, not {}", ends, options.labels);
  if (options.labels == 0 && !tensors.contains("qa_outputs.weight"))
    fail("{}: the folder has no qa_outputs; fine-tune it first", folder.string());
  outputs_ = head_linear(tensors, options, "qa_outputs", ends, options.new_head);
  refuse_unmatched(options.recipes, folder);
}

Variable BertQuestionAnswering::operator()(Pass& pass, const PackedBatch& batch) {
  return outputs_(pass, encode(pass, batch));
}

std::vector<std::string> BertQuestionAnswering::linear_names() {
  std::vector<std::string> names = BertEncoder::linear_names();
  names.push_back(outputs_.name());
  return names;
}

std::vector<Parameter> BertQuestionAnswering::parameters() {
  std::vector<Parameter> all = BertEncoder::parameters();
  add_parameters(outputs_, all);
  return all;
}

void BertQuestionAnswering::weights_changed() {
  BertEncoder::weights_changed();
  outputs_.weight_changed();
}

}  // namespace fixtune
