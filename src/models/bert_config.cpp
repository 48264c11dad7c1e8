#include "fixtune/models/bert_config.h"

#include <cmath>
#include <string>

namespace fixtune {
namespace {

/// Fields of one config.json, each checked for its type.
class Fields {
 public:
  Fields(const Json& document, std::string file) : document_(document), file_(std::move(file)) {
    if (!document.is_object()) fail("{}: not a JSON object", file_);
  }
  Index count(const char* name, Index fallback) const {
    if (absent(name)) return fallback;
    const Json& value = document_.at(name);
    if (!value.is_number_integer() || value.get<Index>() < 1 || value.get<Index>() > 1'000'000'000)
      fail("{}: {} must be a whole number from 1 to 1000000000, not {}", file_, name, value.dump());
    return value.get<Index>();
  }
  float number(const char* name, float fallback) const {
    if (absent(name)) return fallback;
    const Json& value = document_.at(name);
    if (!value.is_number() || !std::isfinite(value.get<float>()))
      fail("{}: {} must be a number, not {}", file_, name, value.dump());
    return value.get<float>();
  }
  float probability(const char* name, float fallback) const {
    const float value = number(name, fallback);
    if (value < 0.0F || value >= 1.0F) fail("{}: {} must lie in [0, 1), not {}", file_, name, value);
    return value;
  }
  std::string text(const char* name, const char* fallback) const {
    if (absent(name)) return fallback;
    if (!document_.at(name).is_string()) fail("{}: {} must be a string", file_, name);
    return document_.at(name).get<std::string>();
  }
  const std::string& file() const { return file_; }

 private:
  bool absent(const char* name) const { return !document_.contains(name) || document_.at(name).is_null(); }

  const Json& document_;
  std::string file_;
};

Activation parse_activation(const Fields& fields) {
  const std::string name = fields.text("hidden_act", "gelu");
  if (name == "gelu") return Activation::Gelu;
  if (name == "gelu_new" || name == "gelu_pytorch_tanh") return Activation::GeluTanh;
  if (name == "relu") return Activation::Relu;
  fail("{}: hidden_act \"{}\" is not supported (gelu, gelu_new, gelu_pytorch_tanh, relu)", fields.file(), name);
}

void refuse_unsupported(const Fields& fields) {
  if (const std::string type = fields.text("model_type", "bert"); type != "bert")
    fail("{}: model_type \"{}\" is not supported (bert)", fields.file(), type);
  if (const std::string kind = fields.text("position_embedding_type", "absolute"); kind != "absolute")
    fail("{}: position_embedding_type \"{}\" is not supported (absolute)", fields.file(), kind);
}

}  // namespace

BertConfig BertConfig::read(const std::filesystem::path& file) {
  BertConfig config;
  config.document = read_json(file);
  const Fields fields(config.document, file.string());
  refuse_unsupported(fields);
  config.hidden = fields.count("hidden_size", config.hidden);
  config.layers = fields.count("num_hidden_layers", config.layers);
  config.heads = fields.count("num_attention_heads", config.heads);
  config.intermediate = fields.count("intermediate_size", config.intermediate);
  config.vocabulary = fields.count("vocab_size", config.vocabulary);
  config.positions = fields.count("max_position_embeddings", config.positions);
  config.segment_types = fields.count("type_vocab_size", config.segment_types);
  config.activation = parse_activation(fields);
  config.layer_norm_epsilon = fields.number("layer_norm_eps", config.layer_norm_epsilon);
  config.hidden_dropout = fields.probability("hidden_dropout_prob", config.hidden_dropout);
  config.attention_dropout = fields.probability("attention_probs_dropout_prob", config.attention_dropout);
  config.classifier_dropout = fields.probability("classifier_dropout", config.hidden_dropout);
  config.initializer_range = fields.number("initializer_range", config.initializer_range);
  if (config.hidden % config.heads != 0)
    fail("{}: hidden_size {} is not a multiple of num_attention_heads {}", file.string(), config.hidden,
         config.heads);
  return config;
}

void check_fits(const BertConfig& config, Index vocabulary, Index max_length, const std::string& folder) {
  if (vocabulary > config.vocabulary)
    fail("{}: the vocabulary has {} tokens, the embedding table {} rows", folder, vocabulary, config.vocabulary);
  if (max_length > config.positions)
    fail("--max-length {}: {} has {} positions", max_length, folder, config.positions);
}

}  // namespace fixtune
