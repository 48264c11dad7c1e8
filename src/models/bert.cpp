#include "fixtune/models/bert.h"

#include <cmath>

#include "fixtune/autograd/dropout.h"
#include "fixtune/autograd/select_rows.h"
#include "fixtune/quant/fixed_point_tensor.h"

namespace fixtune {
namespace {

Index classifier_outputs(const TensorSource& tensors) {
  return tensors.contains("classifier.weight") ? tensors.rows("classifier.weight") : 0;
}

}  // namespace

Index stored_labels(const std::filesystem::path& folder) {
  return classifier_outputs(TensorSource(folder));
}

Bert::Bert(const std::filesystem::path& folder, const BertOptions& options)
    : Bert(folder, TensorSource(folder), options) {}

Bert::Bert(const std::filesystem::path& folder, const TensorSource& tensors, const BertOptions& options)
    : BertEncoder(folder, tensors, options) {
  const Index stored = classifier_outputs(tensors);
  const Index labels = options.labels > 0 ? options.labels : stored;
  if (labels == 0) fail("{}: the folder has no classifier; fine-tune it first", folder.string());
  pooler_ = head_linear(tensors, options, "pooler.dense", config().hidden, /*fresh=*/false);
  classifier_ = head_linear(tensors, options, "classifier", labels, options.new_head || stored != labels);
  refuse_unmatched(options.recipes, folder);
}

Variable Bert::operator()(Pass& pass, const PackedBatch& batch) {
  const std::span<const Index> first_tokens(batch.offsets.data(), batch.offsets.size() - 1);
  const Variable x = select_rows(pass.tape, encode(pass, batch), first_tokens);
  Variable pooled = pooler_(pass, x);
  // tanh would turn an infinity into 1.
  if (!std::isfinite(max_magnitude(pooled.value().data(), pooled.value().size())))
    fail("the output of pooler.dense is not finite");
  pooled = tanh(pass.tape, pooled);
  if (pass.training)
    pooled = dropout(pass.tape, pooled, config().classifier_dropout, pass.dropout_stream("classifier"));
  return classifier_(pass, pooled);
}

std::vector<std::string> Bert::linear_names() {
  std::vector<std::string> names = BertEncoder::linear_names();
  for (const Linear* l : {&pooler_, &classifier_}) names.push_back(l->name());
  return names;
}

std::vector<Parameter> Bert::parameters() {
  std::vector<Parameter> all = BertEncoder::parameters();
  add_parameters(pooler_, all);
  add_parameters(classifier_, all);
  return all;
}

void Bert::weights_changed() {
  BertEncoder::weights_changed();
  pooler_.weight_changed();
  classifier_.weight_changed();
}

}  // namespace fixtune
