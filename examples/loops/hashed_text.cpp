#include "loops/hashed_text.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "fixtune/data/text_table.h"

namespace loops {

using fixtune::Index;

HashedText hashed_text(const std::filesystem::path& file, Index features) {
  const fixtune::Dataset dataset = fixtune::read_text(file, {});
  if (dataset.label_names.size() != 2)
    fixtune::fail("{}: needs two labels, has {}", dataset.path, dataset.label_names.size());
  HashedText data{fixtune::Matrix::Zero(static_cast<Index>(dataset.examples.size()), features), {}};
  for (Index row = 0; row < data.x.rows(); ++row) {
    const fixtune::Example& example = dataset.examples[static_cast<std::size_t>(row)];
    const auto count = [&](std::string_view piece) {
      std::uint32_t hash = 2166136261U;  // FNV-1a
      for (const char c : piece) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
      data.x(row, hash % features) += 1.0F;
    };
    const std::string_view text = example.text;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find(' ', at), text.size());
      count(text.substr(at, end - at));
      for (std::size_t i = at; i + 3 <= end; ++i) count(text.substr(i, 3));
      at = end + 1;
    }
    data.x.row(row).normalize();
    data.labels.push_back(static_cast<Index>(example.label));
  }
  return data;
}

}  // namespace loops
