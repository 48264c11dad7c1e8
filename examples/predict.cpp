// Prints a line per input, in input order: the label, then the logits to nine digits, tab-separated.
#include <fmt/format.h>

#include "program/run.h"
#include "program/saved_model.h"

namespace {

using namespace fixtune;

std::string label(const HeadDescription& head, int index) {
  const auto i = static_cast<std::size_t>(index);
  return i < head.label_names.size() ? head.label_names[i] : std::to_string(index);
}

void predict_lines(program::SavedModelOptions& options, const CLI::App& app) {
  program::SavedModel model = program::open_saved_model(options, app, /*has_label=*/false);
  const Tensor logits = predict(model.bert, model.encoded, options.batch_size);
  const std::vector<int> best = classes(logits);
  for (Index r = 0; r < logits.rows(); ++r) {
    fmt::print("{}", model.head.regression ? fmt::format("{:.9g}", logits(r, 0))
                                           : label(model.head, best[static_cast<std::size_t>(r)]));
    for (Index c = 0; c < logits.cols(); ++c) fmt::print("\t{:.9g}", logits(r, c));
    fmt::print("\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Predict with a fine-tuned BERT", "predict");
  program::SavedModelOptions options;
  options.add_options(app);
  return program::run(app, argc, argv, [&] { predict_lines(options, app); });
}
