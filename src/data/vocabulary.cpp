#include "data/vocabulary.h"

#include <algorithm>

#include "fixtune/core/error.h"
#include "fixtune/io/file.h"
#include "fixtune/io/json.h"

namespace fixtune {
namespace {

/// Ids above this are a damaged file.
constexpr std::int64_t highest_id = 10'000'000;

/// The lines of vocab.txt; only \n ends a line, and an empty line counts.
std::vector<std::string> lines(std::string_view content) {
  if (content.starts_with("\xEF\xBB\xBF")) content.remove_prefix(3);
  std::vector<std::string> result;
  while (!content.empty()) {
    const std::size_t end = std::min(content.find('\n'), content.size());
    std::string_view line = content.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    result.emplace_back(line);
    content.remove_prefix(std::min(end + 1, content.size()));
  }
  return result;
}

std::int64_t token_id(const std::string& token, const Json& value, const std::string& where) {
  const std::int64_t id = value.is_number_integer() ? value.get<std::int64_t>() : -1;
  if (id < 0 || id > highest_id) fail("{}: model.vocab: the id of \"{}\" is {}", where, token, value.dump());
  return id;
}

const Json& vocabulary_object(const Json& document, const std::string& where) {
  const Json::json_pointer type("/model/type");
  const Json::json_pointer vocabulary("/model/vocab");
  if (document.contains(type) && document.at(type) != "WordPiece")
    fail("{}: model.type is {}, not \"WordPiece\"", where, document.at(type).dump());
  if (!document.contains(vocabulary) || !document.at(vocabulary).is_object())
    fail("{}: no model.vocab with tokens and their ids", where);
  return document.at(vocabulary);
}

/// Ids that no token has are left with an empty one.
std::vector<std::string> tokens_of(const Json& document, const std::string& where) {
  std::vector<std::string> tokens;
  for (const auto& [token, value] : vocabulary_object(document, where).items()) {
    const auto id = static_cast<std::size_t>(token_id(token, value, where));
    if (id >= tokens.size()) tokens.resize(id + 1);
    tokens[id] = token;
  }
  return tokens;
}

/// A true or false of the configuration; nothing where it is absent or null.
std::optional<bool> flag(const Json& config, const char* name, const std::string& where) {
  const auto found = config.find(name);
  if (found == config.end() || found->is_null()) return std::nullopt;
  if (!found->is_boolean()) fail("{}: {} is {}, not true or false", where, name, found->dump());
  return found->get<bool>();
}

bool looks_cased(const std::vector<std::string>& tokens) {
  return std::any_of(tokens.begin(), tokens.end(),
                     [](const std::string& t) { return !t.empty() && t[0] >= 'A' && t[0] <= 'Z'; });
}

}  // namespace

std::vector<std::string> read_vocabulary(const std::filesystem::path& folder) {
  const auto text = folder / "vocab.txt";
  const auto json = folder / "tokenizer.json";
  const bool has_text = std::filesystem::exists(text);
  if (!has_text && !std::filesystem::exists(json))
    fail("{}: neither vocab.txt nor tokenizer.json", folder.string());
  const std::string where = (has_text ? text : json).string();
  std::vector<std::string> tokens = has_text ? lines(read_file(text)) : tokens_of(read_json(json), where);
  check_special_tokens(tokens, where);
  return tokens;
}

void check_special_tokens(const std::vector<std::string>& tokens, std::string_view where) {
  for (const char* name : {"[UNK]", "[CLS]", "[SEP]"})
    if (std::find(tokens.begin(), tokens.end(), name) == tokens.end()) fail("{}: no token {}", where, name);
}

WordPieceOptions read_tokenizer_options(const std::filesystem::path& folder,
                                        const std::vector<std::string>& tokens, const LogCallback& log) {
  const auto file = folder / "tokenizer_config.json";
  const std::string where = file.string();
  const Json config = std::filesystem::exists(file) ? read_json(file) : Json::object();
  if (!config.is_object()) fail("{}: not a JSON object", where);
  const std::optional<bool> lowercase = flag(config, "do_lower_case", where);
  if (!lowercase && log && looks_cased(tokens))
    log(fmt::format("{}: no do_lower_case, so text is lowercased, but the vocabulary has capitals", where));
  WordPieceOptions options;
  options.lowercase = lowercase.value_or(true);
  options.strip_accents = flag(config, "strip_accents", where).value_or(options.lowercase);
  options.chinese_characters = flag(config, "tokenize_chinese_chars", where).value_or(true);
  return options;
}

}  // namespace fixtune
