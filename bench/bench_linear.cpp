// A linear layer in every recipe: forward and backward whole, each part, and the forward by how many columns hold
// outliers; recipes interleaved, one pass of each per round.
#include <fmt/format.h>

#include <map>
#include <string>
#include <vector>

#include "fixtune/linear/linear.h"
#include "fixtune/train/recipe_file.h"
#include "program/layer_shapes.h"
#include "program/program.h"
#include "program/rounds.h"
#include "program/synthetic.h"

namespace {

using namespace fixtune;
using namespace fixtune::bench;

constexpr double usual_density = 0.01;
constexpr double densities[] = {0.0, 0.005, 0.01, 0.02, 0.05};

struct Options {
  std::vector<std::string> sections = {"whole", "parts", "density"};
  std::vector<std::string> recipes = preset_names();
  Index tokens = 4096;
};
Options options;

/// Of a recipe file what it says of layers it does not name.
Recipe recipe_of(const std::string& name) { return read_recipes(name).fallback; }

/// Refuses what is no recipe before anything runs; empty where it is one.
std::string fault_of(const std::string& name) try {
  recipe_of(name);
  return {};
} catch (const Error& error) {
  return error.what();
}

using ByLayer = std::vector<std::pair<LayerShape, Medians>>;
ByLayer whole, parts, density;

/// What a layer's passes read.
struct Data {
  explicit Data(const LayerShape& layer)
      : x(activations(options.tokens, layer.in, usual_density)),
        w(normal_values(layer.out, layer.in, /*seed=*/2, 0.04F)),
        dy(normal_values(options.tokens, layer.out, /*seed=*/3, 1e-3F)) {}
  Tensor x, w, dy;
};

bool is_integer(const Recipe& recipe) { return recipe.arithmetic == Arithmetic::Integer; }

/// One forward and backward, the weight prepared in it.
void layer_pass(const Data& data, const Recipe& recipe) {
  const QuantizedWeight weight = prepare_weight(data.w, recipe);
  const LinearResult result = linear_forward(data.x, weight, nullptr);
  const LinearGradients g = is_integer(recipe) ? linear_backward(data.dy, weight, result.saved)
                                               : float_linear_backward(data.dy, weight, data.x);
  benchmark::DoNotOptimize(result.y.data());
  benchmark::DoNotOptimize(g.dw.data());
}

void measure_whole(benchmark::State& state, const LayerShape& layer) {
  const Data data(layer);
  std::vector<Contestant> contestants;
  for (const std::string& name : options.recipes)
    contestants.push_back({name, [&data, recipe = recipe_of(name)] { layer_pass(data, recipe); }});
  whole.emplace_back(layer, interleaved_medians(state, contestants));
}

/// What a recipe's parts hand on to each other.
struct PartState {
  std::string name;
  Recipe recipe;
  QuantizedWeight weight;
  LinearInput input;
};

void add_parts(std::vector<Contestant>& contestants, const Data& data, const PartState& part) {
  const std::string& name = part.name;
  if (!is_integer(part.recipe)) {
    contestants.push_back({name + " forward", [&] {
                             benchmark::DoNotOptimize(float_linear_forward(data.x, part.weight, nullptr).data());
                           }});
    contestants.push_back({name + " backward", [&] {
                             benchmark::DoNotOptimize(float_linear_backward(data.dy, part.weight, data.x).dw.data());
                           }});
    return;
  }
  contestants.push_back(
      {name + " W", [&] { benchmark::DoNotOptimize(prepare_weight(data.w, part.recipe).codes.codes8.data()); }});
  contestants.push_back(
      {name + " X", [&] { benchmark::DoNotOptimize(quantize_input(data.x, part.recipe, {}).forward.get()); }});
  contestants.push_back({name + " forward",
                         [&] { benchmark::DoNotOptimize(linear_forward(part.input, part.weight, nullptr).data()); }});
  contestants.push_back({name + " backward", [&] {
                           benchmark::DoNotOptimize(linear_backward(data.dy, part.weight, part.input).dw.data());
                         }});
}

void measure_parts(benchmark::State& state, const LayerShape& layer) {
  const Data data(layer);
  std::vector<PartState> states;
  for (const std::string& name : options.recipes) {
    const Recipe recipe = recipe_of(name);
    states.push_back({name, recipe, prepare_weight(data.w, recipe), {}});
    if (is_integer(recipe)) states.back().input = quantize_input(data.x, recipe, {});
  }
  std::vector<Contestant> contestants;
  for (const PartState& part : states) add_parts(contestants, data, part);
  parts.emplace_back(layer, interleaved_medians(state, contestants));
}

std::string density_name(const std::string& recipe, double share) {
  return fmt::format("{} {:g} %", recipe, 100 * share);
}

void measure_density(benchmark::State& state, const LayerShape& layer) {
  const Tensor w = normal_values(layer.out, layer.in, /*seed=*/2, 0.04F);
  std::vector<Tensor> inputs;
  for (const double share : densities) inputs.push_back(activations(options.tokens, layer.in, share));
  std::map<std::string, QuantizedWeight> weights;
  std::vector<Contestant> contestants;
  for (const std::string& name : options.recipes) {
    if (!is_integer(recipe_of(name))) continue;
    const QuantizedWeight& weight = weights.emplace(name, prepare_weight(w, recipe_of(name))).first->second;
    for (std::size_t i = 0; i < inputs.size(); ++i)
      contestants.push_back({density_name(name, densities[i]), [&weight, &x = inputs[i]] {
                               benchmark::DoNotOptimize(linear_forward(x, weight, nullptr).y.data());
                             }});
  }
  density.emplace_back(layer, interleaved_medians(state, contestants));
}

/// The geometric mean of `value` over a model's layers.
template <typename Value>
Json mean_over(const ByLayer& all, std::string_view model, Value&& value) {
  std::vector<double> values;
  for (const auto& [layer, medians] : all)
    if (layer.model == model) values.push_back(value(layer, medians));
  return values.empty() ? Json() : Json(geometric_mean(values));
}

bool measured(const ByLayer& all, std::string_view model) {
  return std::any_of(all.begin(), all.end(), [=](const auto& entry) { return entry.first.model == model; });
}

ClosingTable whole_table() {
  std::vector<std::string> columns = {"model", "layer"};
  for (const std::string& name : options.recipes) columns.push_back(name + " ms");
  ClosingTable table(fmt::format("A whole layer, forward and backward, {} tokens", options.tokens), columns,
                     "Quantising of W, X and dY included.");
  for (const auto& [layer, medians] : whole) {
    std::vector<Json> row = {layer.model, layer.layer};
    for (const std::string& name : options.recipes) row.emplace_back(1e3 * medians.at(name));
    table.add(std::move(row));
  }
  return table;
}

ClosingTable ratio_table() {
  std::vector<std::string> columns = {"model", "layer"};
  columns.insert(columns.end(), options.recipes.begin(), options.recipes.end());
  ClosingTable table("A whole layer, FP32's time over the recipe's", columns);
  for (const std::string_view model : models) {
    if (!measured(whole, model)) continue;
    std::vector<Json> means = {model, "geometric mean"};
    for (const std::string& name : options.recipes)
      means.push_back(
          mean_over(whole, model, [&](const LayerShape&, const Medians& m) { return m.at("fp32") / m.at(name); }));
    for (const auto& [layer, medians] : whole) {
      if (layer.model != model) continue;
      std::vector<Json> row = {layer.model, layer.layer};
      for (const std::string& name : options.recipes) row.emplace_back(medians.at("fp32") / medians.at(name));
      table.add(std::move(row));
    }
    table.add(std::move(means));
  }
  return table;
}

Json milliseconds(const Medians& medians, const std::string& name) {
  const auto found = medians.find(name);
  return found == medians.end() ? Json() : Json(1e3 * found->second);
}

ClosingTable part_table() {
  ClosingTable table(fmt::format("A layer's parts, {} tokens", options.tokens),
                     {"model", "layer", "recipe", "quantise W ms", "quantise X ms", "forward product ms",
                      "backward ms", "forward G/s"},
                     "Backward: both products with the quantising of dY. G/s of the forward product alone.");
  for (const auto& [layer, medians] : parts) {
    const double operations = 2e-9 * static_cast<double>(options.tokens * layer.out * layer.in);
    for (const std::string& name : options.recipes)
      table.add({layer.model, layer.layer, name, milliseconds(medians, name + " W"),
                 milliseconds(medians, name + " X"), milliseconds(medians, name + " forward"),
                 milliseconds(medians, name + " backward"), operations / medians.at(name + " forward")});
  }
  return table;
}

ClosingTable density_table() {
  std::vector<std::string> columns = {"model", "layer", "recipe", "none, ms"};
  for (const double share : densities)
    if (share > 0) columns.push_back(fmt::format("{:g} %", 100 * share));
  ClosingTable table(
      fmt::format("Forward by share of columns with outliers, {} tokens: time over that with none", options.tokens),
      columns, "One outlier in 20 rows of such a column; quantising X included, W not.");
  const auto ratio = [](const Medians& m, const std::string& name, double share) {
    return m.at(density_name(name, share)) / m.at(density_name(name, 0.0));
  };
  const auto add_row = [&](std::vector<Json> row, auto&& value) {
    for (const double share : densities)
      if (share > 0) row.emplace_back(value(share));
    table.add(std::move(row));
  };
  for (const std::string& name : options.recipes) {
    if (!is_integer(recipe_of(name))) continue;
    for (const auto& [layer, m] : density)
      add_row({layer.model, layer.layer, name, 1e3 * m.at(density_name(name, 0.0))},
              [&, &m = m](double p) { return ratio(m, name, p); });
    for (const std::string_view model : models)
      if (measured(density, model))
        add_row({model, "geometric mean", name, Json()}, [&](double p) {
          return mean_over(density, model, [&](const LayerShape&, const Medians& m) { return ratio(m, name, p); });
        });
  }
  return table;
}

void prepare(Program& program) {
  using Measure = void (*)(benchmark::State&, const LayerShape&);
  const std::map<std::string, Measure> sections = {
      {"whole", measure_whole}, {"parts", measure_parts}, {"density", measure_density}};
  for (const std::string& section : options.sections)
    for (const LayerShape& layer : layer_shapes)
      program.measure(fmt::format("{}: {} {}", section, layer.model, layer.layer),
                      [=, measure = sections.at(section)](benchmark::State& state) { measure(state, layer); });
}

void close(Program& program) {
  if (!whole.empty()) program.close_with(whole_table());
  if (!whole.empty() && whole.front().second.contains("fp32")) program.close_with(ratio_table());
  if (!parts.empty()) program.close_with(part_table());
  if (!density.empty()) program.close_with(density_table());
}

}  // namespace

int main(int argc, char** argv) {
  Program program("bench_linear", "A linear layer in every recipe.", /*rounds=*/7);
  program.options()
      .add_option("--section", options.sections, "whole, parts, density")
      ->delimiter(',')
      ->check(CLI::IsMember({"whole", "parts", "density"}));
  program.options()
      .add_option("--recipes", options.recipes, "presets or recipe files to measure")
      ->delimiter(',')
      ->check(fault_of);
  program.options()
      .add_option("--tokens", options.tokens, "tokens")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  return program.run(
      argc, argv, [&] { prepare(program); }, [&] { close(program); });
}
