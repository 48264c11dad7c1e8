#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "fixtune/core/log.h"
#include "fixtune/data/wordpiece.h"

namespace fixtune {

/// Tokens by id, from vocab.txt, else from tokenizer.json. Throws Error naming the file.
std::vector<std::string> read_vocabulary(const std::filesystem::path& folder);

/// Throws Error naming `where` if [UNK], [CLS] or [SEP] is missing.
void check_special_tokens(const std::vector<std::string>& tokens, std::string_view where);

/// Options from tokenizer_config.json, where there is one. Throws Error naming the file.
WordPieceOptions read_tokenizer_options(const std::filesystem::path& folder,
                                        const std::vector<std::string>& tokens, const LogCallback& log);

}  // namespace fixtune
