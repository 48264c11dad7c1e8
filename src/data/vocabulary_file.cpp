#include "data/vocabulary_file.h"

#include <algorithm>

#include "fixtune/core/error.h"
#include "fixtune/io/file.h"
#include "fixtune/io/json.h"

namespace fixtune {
namespace {

/// One token a line, the line number its id. Only LF ends a line; a CR before it is dropped, as is a BOM.
std::vector<std::string> tokens_of_text(std::string text) {
  if (text.starts_with("\xef\xbb\xbf")) text.erase(0, 3);
  std::vector<std::string> tokens;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string token = text.substr(begin, end - begin);
    if (token.ends_with('\r')) token.pop_back();
    tokens.push_back(std::move(token));
    begin = end + 1;
  }
  return tokens;
}

std::vector<std::string> tokens_of_json(const std::filesystem::path& file) {
  const Json document = read_json(file);
  if (!document.is_object() || !document.contains("model") || !document["model"].is_object() ||
      !document["model"].contains("vocab") || !document["model"]["vocab"].is_object())
    fail("{}: no model.vocab", file.string());
  const Json& vocabulary = document["model"]["vocab"];
  std::vector<std::string> tokens(vocabulary.size());
  for (const auto& [token, id] : vocabulary.items()) {
    if (!id.is_number_unsigned() || id.get<std::size_t>() >= tokens.size())
      fail("{}: token {} has an id outside 0 to {}", file.string(), token, tokens.size() - 1);
    tokens[id.get<std::size_t>()] = token;
  }
  return tokens;
}

bool flag(const Json& config, const char* name, bool fallback, const std::filesystem::path& file) {
  if (!config.contains(name) || config[name].is_null()) return fallback;
  if (!config[name].is_boolean()) fail("{}: {} must be true or false", file.string(), name);
  return config[name].get<bool>();
}

WordPieceOptions read_options(const std::filesystem::path& file) {
  const Json config = read_json(file);
  if (!config.is_object()) fail("{}: not a JSON object", file.string());
  WordPieceOptions options;
  options.lowercase = flag(config, "do_lower_case", true, file);
  options.strip_accents = flag(config, "strip_accents", options.lowercase, file);
  options.split_chinese = flag(config, "tokenize_chinese_chars", true, file);
  return options;
}

bool looks_cased(const std::vector<std::string>& tokens) {
  return std::any_of(tokens.begin(), tokens.end(), [](const std::string& t) {
    return t.size() > 1 && t[0] >= 'A' && t[0] <= 'Z' && t[1] >= 'a' && t[1] <= 'z';
  });
}

}  // namespace

VocabularyFile read_vocabulary(const std::filesystem::path& folder, const LogCallback& log) {
  VocabularyFile result;
  const auto text = folder / "vocab.txt";
  const auto json = folder / "tokenizer.json";
  if (std::filesystem::exists(text)) {
    result.path = text.string();
    result.tokens = tokens_of_text(read_file(text));
  } else if (std::filesystem::exists(json)) {
    result.path = json.string();
    result.tokens = tokens_of_json(json);
  } else {
    fail("{}: no vocab.txt and no tokenizer.json", folder.string());
  }
  const auto config = folder / "tokenizer_config.json";
  if (std::filesystem::exists(config))
    result.options = read_options(config);
  else if (log && looks_cased(result.tokens))
    log(fmt::format("{} looks cased, but there is no tokenizer_config.json: text is lowered", result.path));
  return result;
}

}  // namespace fixtune
