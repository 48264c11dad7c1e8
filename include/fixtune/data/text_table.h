#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "fixtune/data/example.h"

namespace fixtune {

/// Which columns of a table hold what.
struct TextColumns {
  std::string text = "text";             ///< column of the sentence, or of the first of a pair
  std::string pair;                      ///< column of the second; empty: single sentences
  std::string label = "label";           ///< column of the label
  std::vector<std::string> label_names;  ///< in class order; empty: the labels found, sorted
  bool regression = false;               ///< labels are scores
  bool has_label = true;                 ///< false: every label is 0 and the label column may be absent
};

/// Reads examples from a TSV or CSV file with a header row, or from JSON Lines, by its extension.
/// Labels found are sorted as numbers if all are whole numbers, else by their bytes. Throws Error naming the file, and
/// the column that is missing or the line of a label that does not fit.
Dataset read_text(const std::filesystem::path& file, const TextColumns& columns);

}  // namespace fixtune
