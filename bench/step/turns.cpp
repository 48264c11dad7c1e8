#include "step/turns.h"

#include <algorithm>

#include "fixtune/core/error.h"
#include "fixtune/core/workspace.h"
#include "program/rounds.h"

namespace fixtune::bench {
namespace {

Turn recipe_turn(const StepOptions& options, const std::string& recipe) {
  auto trainer = std::make_unique<RecipeTrainer>(options.model, recipe);
  RecipeTrainer* own = trainer.get();
  return {recipe, std::move(trainer), own, {}, {}, {}};
}

}  // namespace

StepTimes Turn::medians() const {
  std::vector<double> forward, backward, optimiser;
  for (const StepTimes& t : times) {
    forward.push_back(t.forward);
    backward.push_back(t.backward);
    optimiser.push_back(t.optimiser);
  }
  return {median(forward), median(backward), median(optimiser)};
}

double Turn::median_step() const {
  std::vector<double> totals;
  for (const StepTimes& t : times) totals.push_back(t.total());
  return median(totals);
}

std::pair<std::string, std::string> name_and_command(const std::string& rival) {
  const auto equals = rival.find('=');
  if (equals == std::string::npos) fail("--rival {}: not NAME=COMMAND", rival);
  return {rival.substr(0, equals), rival.substr(equals + 1)};
}

std::vector<Turn> recipe_turns(const StepOptions& options, const std::vector<std::string>& recipes) {
  std::vector<Turn> turns;
  for (const std::string& recipe : recipes) turns.push_back(recipe_turn(options, recipe));
  return turns;
}

std::vector<Turn> rival_turns(const StepOptions& options) {
  std::vector<Turn> turns;
  for (const std::string& rival : options.rivals) {
    const auto [name, command] = name_and_command(rival);
    turns.push_back({name, std::make_unique<RivalTrainer>(command), nullptr, {}, {}, {}});
  }
  return turns;
}

BatchSource batches(const StepOptions& options) {
  if (!options.task.empty())
    return task_batches(options.model, options.task, options.data, options.batch, options.length);
  const BertConfig config = BertConfig::read(options.model / "config.json");
  constexpr Index shortest = 3;
  if (options.lengths == "every") return batches_of_every_length(config, options.batch, shortest, options.length);
  return random_batches(config, options.batch, options.lengths == "mixed" ? shortest : options.length, options.length);
}

void take_turns(benchmark::State& state, std::vector<Turn>& turns, const BatchSource& next, Index warmup) {
  const bool shared = std::count_if(turns.begin(), turns.end(), [](const Turn& t) { return t.own != nullptr; }) > 1;
  const auto settles = [=](const Turn& turn) { return shared && turn.own != nullptr; };
  for (Turn& turn : turns) {
    turn.times.clear();
    turn.seconds_per_token.clear();
    turn.bytes_asked.clear();
    for (Index i = 0; i < warmup && !settles(turn); ++i) turn.trainer->step(next());
  }
  for (std::size_t round = 0; state.KeepRunning(); ++round) {
    const PackedBatch batch = next();
    for (std::size_t i = 0; i < turns.size(); ++i) {
      Turn& turn = turns[(round + i) % turns.size()];
      if (settles(turn)) turn.trainer->step(batch);
      const std::size_t asked = Workspace::shared().use().asked;
      turn.times.push_back(turn.trainer->step(batch));
      turn.bytes_asked.push_back(static_cast<double>(Workspace::shared().use().asked - asked));
      turn.seconds_per_token.push_back(turn.times.back().total() / static_cast<double>(batch.tokens()));
    }
  }
  for (const Turn& turn : turns) state.counters[turn.name + " s"] = turn.median_step();
}

}  // namespace fixtune::bench
