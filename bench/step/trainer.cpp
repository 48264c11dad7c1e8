#include "step/trainer.h"

#include <fmt/format.h>

#include <algorithm>

#include "fixtune/io/json.h"
#include "fixtune/optim/clip.h"
#include "fixtune/train/classification.h"
#include "fixtune/train/recipe_file.h"
#include "program/rounds.h"
#include "step/process_memory.h"

namespace fixtune::bench {
namespace {

constexpr float learning_rate = 2e-5F;
constexpr float largest_gradient_norm = 1.0F;

BertOptions classifier(const std::string& recipe) {
  BertOptions options;
  options.recipes = read_recipes(recipe);
  options.labels = 2;
  options.new_head = true;
  return options;
}

}  // namespace

RecipeTrainer::RecipeTrainer(const std::filesystem::path& model, const std::string& recipe)
    : bert_(model, classifier(recipe)), parameters_(bert_.parameters()), optimizer_(parameters_) {}

void RecipeTrainer::forward_and_backward(const PackedBatch& batch, StepTimes& times) {
  Tape tape;
  Pass pass{tape,
            {/*seed=*/0, steps_, /*micro_batch=*/0},
            /*training=*/true,
            [this](std::string_view layer, const OutlierStatistics& s) { outliers_.add(layer, s); }};
  Variable loss;
  times.forward = seconds([&] { loss = task_loss(tape, bert_(pass, batch), batch.labels, /*regression=*/false); });
  saved_bytes_ = std::max(saved_bytes_, tape.saved_bytes());
  times.backward = seconds([&] { tape.backward(loss); });
}

StepTimes RecipeTrainer::step(const PackedBatch& batch) {
  StepTimes times;
  forward_and_backward(batch, times);
  times.optimiser = seconds([&] {
    const GradientClip clip = measure_gradient_clip(parameters_, largest_gradient_norm);
    optimizer_.step(learning_rate, clip.factor);
    optimizer_.zero_grad();
    bert_.weights_changed();
  });
  ++steps_;
  return times;
}

std::size_t RecipeTrainer::peak_bytes() const { return peak_resident_bytes(); }

StepTimes RivalTrainer::step(const PackedBatch& batch) {
  std::string line;
  for (std::size_t s = 0; s + 1 < batch.offsets.size(); ++s)
    line += fmt::format("{}{}", s == 0 ? "" : " ", batch.offsets[s + 1] - batch.offsets[s]);
  process_.write_line(line);
  const Json answer = parse_json(process_.read_json_line(), "the rival's answer");
  peak_bytes_ = answer.at("peak_bytes").get<std::size_t>();
  return {answer.at("forward").get<double>(), answer.at("backward").get<double>(),
          answer.at("optimiser").get<double>()};
}

}  // namespace fixtune::bench
