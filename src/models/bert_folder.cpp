#include "fixtune/models/bert_folder.h"

#include "fixtune/io/file.h"
#include "fixtune/io/safetensors.h"

namespace fixtune {
namespace {

std::string hub_name(const std::string& name) {
  const bool is_head = name.starts_with("classifier.") || name.starts_with("qa_outputs.");
  return is_head ? name : "bert." + name;
}

std::vector<NamedTensor> named_tensors(const std::vector<Parameter>& parameters) {
  std::vector<NamedTensor> tensors;
  for (const Parameter& p : parameters) {
    const Tensor& value = p.variable.value();
    const std::string& name = p.variable.name();
    const bool is_vector = name.ends_with(".bias") || name.ends_with("LayerNorm.weight");
    std::vector<Index> shape{value.rows(), value.cols()};
    if (is_vector) shape = {value.size()};
    tensors.push_back({hub_name(name), std::move(shape), &value});
  }
  return tensors;
}

Json config_document(const BertEncoder& bert) {
  Json document = bert.config().document;
  document["architectures"] = Json::array({bert.architecture()});
  document["model_type"] = "bert";
  // Those of another head: transformers would give a span head as many outputs as there are labels.
  for (const char* field : {"problem_type", "id2label", "label2id", "num_labels"}) document.erase(field);
  return document;
}

void describe_head(const HeadDescription& head, Index labels, Json& document) {
  document["problem_type"] = head.regression ? "regression" : "single_label_classification";
  Json id2label = Json::object();
  Json label2id = Json::object();
  for (Index i = 0; i < labels; ++i) {
    const auto index = static_cast<std::size_t>(i);
    const std::string label =
        index < head.label_names.size() ? head.label_names[index] : fmt::format("LABEL_{}", i);
    id2label[std::to_string(i)] = label;
    label2id[label] = i;
  }
  document["id2label"] = std::move(id2label);
  document["label2id"] = std::move(label2id);
}

void copy_tokenizer(const std::filesystem::path& origin, const std::filesystem::path& folder) {
  for (const char* name : {"vocab.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"}) {
    if (!std::filesystem::exists(origin / name)) continue;
    write_file_atomically(folder / name, read_file(origin / name));
  }
}

void save(BertEncoder& bert, const Json& config, const std::filesystem::path& origin,
          const std::filesystem::path& folder) {
  create_folders(folder);
  write_safetensors(folder / "model.safetensors", named_tensors(bert.parameters()));
  copy_tokenizer(origin, folder);
  write_file_atomically(folder / "config.json", config.dump(2) + "\n");
}

}  // namespace

void save_bert(Bert& bert, const HeadDescription& head, const std::filesystem::path& origin,
               const std::filesystem::path& folder) {
  Json config = config_document(bert);
  describe_head(head, bert.labels(), config);
  save(bert, config, origin, folder);
}

void save_bert(BertQuestionAnswering& bert, const std::filesystem::path& origin, const std::filesystem::path& folder) {
  save(bert, config_document(bert), origin, folder);
}

HeadDescription read_head(const BertConfig& config, Index labels) {
  HeadDescription head;
  const Json& document = config.document;
  head.regression = document.value("problem_type", Json()) == "regression";
  if (head.regression || !document.contains("id2label") || !document.at("id2label").is_object()) return head;
  for (Index i = 0; i < labels; ++i) {
    const auto label = document.at("id2label").find(std::to_string(i));
    if (label == document.at("id2label").end() || !label->is_string())
      fail("config.json: id2label does not name label {}", i);
    head.label_names.push_back(label->get<std::string>());
  }
  return head;
}

}  // namespace fixtune
