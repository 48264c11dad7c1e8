#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "fixtune/data/wordpiece.h"

namespace fixtune {

/// A folder's vocabulary in id order, and how its texts are normalised.
struct VocabularyFile {
  std::string path;
  std::vector<std::string> tokens;
  WordPieceOptions options;
};

/// Reads vocab.txt, or else tokenizer.json, and tokenizer_config.json. Throws Error naming the file.
VocabularyFile read_vocabulary(const std::filesystem::path& folder, const LogCallback& log);

}  // namespace fixtune
