// A whole fine-tuning step of a BERT classifier: seconds by recipe and part beside rival programs, where they go, how
// they grow with tokens and sentence length, and the memory they take.
//
// Recipes and rivals take turns step by step on the same batches. A step is what fine_tune does: dropout, loss,
// backward, clipping, AdamW.
#include <fmt/format.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fixtune/core/parallel.h"
#include "program/program.h"
#include "program/rounds.h"
#include "step/batches.h"
#include "step/linears_alone.h"
#include "step/options.h"
#include "step/process_memory.h"
#include "step/trainer.h"

namespace {

using namespace fixtune;
using namespace fixtune::bench;

constexpr Index sweep_steps_tokens[] = {2048, 4096, 8192, 16384};
constexpr Index sweep_sentence_lengths[] = {16, 32, 64, 128, 256, 512};
constexpr Index sweep_length = 128;
constexpr Index memory_steps = 3;
constexpr Index resident_every = 50;
constexpr double mebibyte = 1048576.0;

StepOptions options;
std::vector<ClosingTable> tables;

/// One that takes its turn, and what its steps took.
struct Turn {
  std::string name;
  std::unique_ptr<Trainer> trainer;
  RecipeTrainer* own = nullptr;  ///< null for rivals
  std::vector<StepTimes> times;
  std::vector<double> seconds_per_token;

  /// Median of each part.
  StepTimes medians() const {
    std::vector<double> forward, backward, optimiser;
    for (const StepTimes& t : times) {
      forward.push_back(t.forward);
      backward.push_back(t.backward);
      optimiser.push_back(t.optimiser);
    }
    return {median(forward), median(backward), median(optimiser)};
  }
  double median_step() const {
    std::vector<double> totals;
    for (const StepTimes& t : times) totals.push_back(t.total());
    return median(totals);
  }
};

Turn own_turn(const std::string& recipe) {
  auto trainer = std::make_unique<RecipeTrainer>(options.model, recipe);
  RecipeTrainer* own = trainer.get();
  return {recipe, std::move(trainer), own, {}, {}};
}

std::pair<std::string, std::string> name_and_command(const std::string& rival) {
  const auto equals = rival.find('=');
  if (equals == std::string::npos) fail("--rival {}: not NAME=COMMAND", rival);
  return {rival.substr(0, equals), rival.substr(equals + 1)};
}

std::vector<Turn> all_turns(const std::vector<std::string>& recipes, bool with_rivals) {
  std::vector<Turn> turns;
  for (const std::string& recipe : recipes) turns.push_back(own_turn(recipe));
  if (!with_rivals) return turns;
  for (const std::string& rival : options.rivals) {
    const auto [name, command] = name_and_command(rival);
    turns.push_back({name, std::make_unique<RivalTrainer>(command), nullptr, {}, {}});
  }
  return turns;
}

BatchSource batches() {
  if (!options.task.empty())
    return task_batches(options.model, options.task, options.data, options.batch, options.length);
  const Index shortest = options.lengths == "mixed" ? 3 : options.length;
  return random_batches(BertConfig::read(options.model / "config.json"), options.batch, shortest, options.length);
}

/// A round per iteration of `state`, each on a new batch, begun by another each time.
void take_turns(benchmark::State& state, std::vector<Turn>& turns, const BatchSource& next) {
  for (Turn& turn : turns) {
    turn.times.clear();
    turn.seconds_per_token.clear();
  }
  for (Index i = 0; i < options.warmup; ++i) {
    const PackedBatch batch = next();
    for (Turn& turn : turns) turn.trainer->step(batch);
  }
  for (std::size_t round = 0; state.KeepRunning(); ++round) {
    const PackedBatch batch = next();
    for (std::size_t i = 0; i < turns.size(); ++i) {
      Turn& turn = turns[(round + i) % turns.size()];
      turn.times.push_back(turn.trainer->step(batch));
      turn.seconds_per_token.push_back(turn.times.back().total() / static_cast<double>(batch.tokens()));
    }
  }
  for (const Turn& turn : turns) state.counters[turn.name + " s"] = turn.median_step();
}

ClosingTable step_table(const std::vector<Turn>& turns) {
  std::vector<const Turn*> references;
  for (const Turn& turn : turns)
    if (turn.own == nullptr || turn.name == "fp32") references.push_back(&turn);
  std::vector<std::string> columns = {"what",        "step s",   "forward s", "backward s",
                                      "optimiser s", "tokens/s", "saved MiB"};
  for (const Turn* reference : references) columns.push_back(reference->name + " / this");
  ClosingTable table(
      fmt::format("A fine-tuning step, {}, {}", options.model_name(), options.batch_words()), columns,
      "Medians. Saved: what the tape holds for the backward. X / this: time a token over this one's.");
  for (const Turn& turn : turns) {
    const StepTimes parts = turn.medians();
    const double per_token = median(turn.seconds_per_token);
    const auto saved = static_cast<double>(turn.trainer->saved_bytes());
    std::vector<Json> row = {turn.name,
                             turn.median_step(),
                             parts.forward,
                             parts.backward,
                             parts.optimiser,
                             1.0 / per_token,
                             saved > 0 ? Json(saved / mebibyte) : Json()};
    for (const Turn* reference : references) row.emplace_back(median(reference->seconds_per_token) / per_token);
    table.add(std::move(row));
  }
  return table;
}

ClosingTable part_table(std::vector<Turn>& turns) {
  ClosingTable table(
      "Where the step's time goes, seconds",
      {"recipe", "quantising W", "linear forward", "other forward", "linear backward", "other backward", "optimiser",
       "linear share"},
      "The encoder's linear layers timed alone, at the same shapes in the same run, on normal X and dY; "
      "the rest is the difference.");
  for (Turn& turn : turns) {
    if (turn.own == nullptr) continue;
    std::vector<double> prepare, forward, backward;
    for (int i = 0; i < 2; ++i) {
      const LinearTimes t = time_linears_alone(turn.own->bert(), options.batch * options.length);
      prepare.push_back(t.prepare);
      forward.push_back(t.forward);
      backward.push_back(t.backward);
    }
    // The first call finds cold caches: the better of two.
    const auto best = [](const std::vector<double>& v) { return std::min(v[0], v[1]); };
    const StepTimes step = turn.medians();
    const double linear = best(prepare) + best(forward) + best(backward);
    table.add({turn.name, best(prepare), best(forward), step.forward - best(forward) - best(prepare), best(backward),
               step.backward - best(backward), step.optimiser, linear / step.total()});
  }
  return table;
}

void measure_step(benchmark::State& state) {
  std::vector<Turn> turns = all_turns(options.recipes_or(preset_names()), /*with_rivals=*/true);
  take_turns(state, turns, batches());
  tables.push_back(step_table(turns));
  if (options.lengths == "fixed" && options.task.empty()) tables.push_back(part_table(turns));
}

/// What one point of a sweep took, per recipe.
struct SweepPoint {
  Index tokens = 0;
  Index length = 0;
  std::string recipe;
  StepTimes times;
  double prepare = 0.0;

  /// Microseconds that forward and backward take per token, without what a step costs however few its tokens.
  double per_token() const { return 1e6 * (times.forward - prepare + times.backward) / static_cast<double>(tokens); }
};
std::vector<SweepPoint> token_points, sentence_points;

std::vector<Turn>& sweep_turns() {
  static std::vector<Turn> turns = all_turns(options.recipes_or({"fp32", "rowwise"}), /*with_rivals=*/false);
  return turns;
}

void measure_point(benchmark::State& state, std::vector<SweepPoint>& points, Index tokens, Index length) {
  std::vector<Turn>& turns = sweep_turns();
  take_turns(state, turns, random_batches(turns.front().own->bert().config(), tokens / length, length, length));
  for (Turn& turn : turns) {
    const double prepare = time_linears_alone(turn.own->bert(), /*tokens=*/1).prepare;
    points.push_back({tokens, length, turn.name, turn.medians(), prepare});
  }
}

std::vector<SweepPoint> points_of(const std::vector<SweepPoint>& points, const std::string& recipe) {
  std::vector<SweepPoint> selected;
  for (const SweepPoint& point : points)
    if (point.recipe == recipe) selected.push_back(point);
  return selected;
}

ClosingTable token_table() {
  ClosingTable table("Time per token by tokens a step",
                     {"recipe", "tokens", "forward s", "backward s", "us/token", "over the smallest", "optimiser s",
                      "quantising W s"},
                     fmt::format("Sentences of {} tokens. us/token: forward and backward without quantising W, which "
                                 "costs the same however few the tokens, as the optimiser does.",
                                 sweep_length));
  for (const Turn& turn : sweep_turns()) {
    const std::vector<SweepPoint> points = points_of(token_points, turn.name);
    double smallest = 1e300;
    for (const SweepPoint& p : points) smallest = std::min(smallest, p.per_token());
    for (const SweepPoint& p : points)
      table.add({p.recipe, p.tokens, p.times.forward, p.times.backward, p.per_token(), p.per_token() / smallest,
                 p.times.optimiser, p.prepare});
  }
  return table;
}

/// The least-squares line `base + slope * length` through the points' time per token.
struct Line {
  double base = 0.0, slope = 0.0;
};
Line fitted_line(const std::vector<SweepPoint>& points) {
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (const SweepPoint& p : points) {
    const auto length = static_cast<double>(p.length);
    n += 1;
    x += length;
    y += p.per_token();
    xx += length * length;
    xy += length * p.per_token();
  }
  const double determinant = n * xx - x * x;
  if (determinant == 0) return {y / n, 0.0};
  const double slope = (n * xy - x * y) / determinant;
  return {(y - slope * x) / n, slope};
}

ClosingTable sentence_table() {
  ClosingTable table("Time per token by tokens a sentence",
                     {"recipe", "tokens a sentence", "us/token", "base us", "attention us", "over base + attention"},
                     fmt::format("About {} tokens a step. Attention's square is a part that grows with the length: "
                                 "us/token fitted as base + slope * length; flat is 1.00 in the last column.",
                                 options.sweep_tokens));
  for (const Turn& turn : sweep_turns()) {
    const std::vector<SweepPoint> points = points_of(sentence_points, turn.name);
    const Line line = fitted_line(points);
    for (const SweepPoint& p : points) {
      const double attention = line.slope * static_cast<double>(p.length);
      table.add({p.recipe, p.length, p.per_token(), line.base, attention, p.per_token() / (line.base + attention)});
    }
  }
  return table;
}

/// What section memory asks of a process of its own: a few steps, then one line of JSON.
void report_memory_of(const std::string& recipe) {
  RecipeTrainer trainer(options.model, recipe);
  const BatchSource next = batches();
  for (Index i = 0; i < memory_steps; ++i) trainer.step(next());
  const Json line = {{"peak_bytes", trainer.peak_bytes()}, {"saved_bytes", trainer.saved_bytes()}};
  fmt::print("{}\n", line.dump());
}

std::vector<std::string> memory_command(const std::string& recipe) {
  std::vector<std::string> command = {"/proc/self/exe",
                                      "--model",
                                      options.model.string(),
                                      "--batch",
                                      fmt::format("{}", options.batch),
                                      "--length",
                                      fmt::format("{}", options.length),
                                      "--lengths",
                                      options.lengths,
                                      "--threads",
                                      fmt::format("{}", thread_count()),
                                      "--memory-of",
                                      recipe};
  if (!options.task.empty()) command.insert(command.end(), {"--task", options.task, "--data", options.data});
  return command;
}

ClosingTable memory_table() {
  ClosingTable table(
      fmt::format("Peak resident memory of a step, {}, {}", options.model_name(), options.batch_words()),
      {"what", "peak MiB", "saved MiB"},
      "A process each, weights, gradients and optimiser state included. Saved: what the tape holds for the "
      "backward.");
  const auto add = [&](const std::string& name, double peak, double saved) {
    table.add({name, peak / mebibyte, saved > 0 ? Json(saved / mebibyte) : Json()});
  };
  for (const std::string& recipe : options.recipes_or(preset_names())) {
    ChildProcess process(memory_command(recipe));
    const Json answer = parse_json(process.read_json_line(), recipe);
    add(recipe, answer.at("peak_bytes").get<double>(), answer.at("saved_bytes").get<double>());
  }
  for (const std::string& rival : options.rivals) {
    const auto [name, command] = name_and_command(rival);
    RivalTrainer trainer(command);
    const BatchSource next = batches();
    for (Index i = 0; i < memory_steps; ++i) trainer.step(next());
    add(name, static_cast<double>(trainer.peak_bytes()), 0.0);
  }
  return table;
}

ClosingTable resident_table() {
  const std::string recipe = options.recipes_or({"rowwise"}).front();
  ClosingTable table(fmt::format("Resident memory over {} steps, {}, recipe {}, {}", options.steps,
                                 options.model_name(), recipe, options.batch_words()),
                     {"step", "resident MiB", "peak MiB"});
  RecipeTrainer trainer(options.model, recipe);
  const BatchSource next = batches();
  for (Index step = 1; step <= options.steps; ++step) {
    trainer.step(next());
    if (step % resident_every != 0 && step != options.steps) continue;
    const double resident = static_cast<double>(resident_bytes()) / mebibyte;
    fmt::print("step {:>4}: {:.1f} MiB resident\n", step, resident);
    std::fflush(stdout);
    table.add({step, resident, static_cast<double>(peak_resident_bytes()) / mebibyte});
  }
  return table;
}

void prepare_section(Program& program, const std::string& section) {
  const std::string model = options.model_name();
  if (section == "step") program.measure(fmt::format("step: {}, {}", model, options.batch_words()), measure_step);
  if (section == "tokens")
    for (const Index tokens : sweep_steps_tokens)
      program.measure(fmt::format("step of {} tokens: {}", tokens, model),
                      [=](benchmark::State& state) { measure_point(state, token_points, tokens, sweep_length); });
  if (section == "sentences")
    for (const Index length : sweep_sentence_lengths)
      program.measure(fmt::format("sentences of {} tokens: {}", length, model), [=](benchmark::State& state) {
        measure_point(state, sentence_points, options.sweep_tokens / length * length, length);
      });
}

void close_section(const std::string& section) {
  if (section == "tokens" && !token_points.empty()) tables.push_back(token_table());
  if (section == "sentences" && !sentence_points.empty()) tables.push_back(sentence_table());
  if (section == "memory") tables.push_back(memory_table());
  if (section == "resident") tables.push_back(resident_table());
}

}  // namespace

int main(int argc, char** argv) {
  Program program("bench_step", "A fine-tuning step of a BERT, whole and in parts.", /*rounds=*/5);
  options.add_to(program.options());
  const auto prepare = [&] {
    if (!options.memory_of.empty()) return;
    for (const std::string& section : options.sections) prepare_section(program, section);
  };
  const auto close = [&] {
    if (!options.memory_of.empty()) return report_memory_of(options.memory_of);
    for (const std::string& section : options.sections) close_section(section);
    for (ClosingTable& table : tables) program.close_with(std::move(table));
  };
  return program.run(argc, argv, prepare, close);
}
