// Section 4 of the paper on real activations: what each recipe's rounding leaves of a linear layer's input.
#include <fmt/format.h>

#include "program/measured_text.h"
#include "program/report_files.h"
#include "program/run.h"
#include "theory/tables.h"

namespace {

using namespace fixtune;

struct Options {
  program::MeasuredTextOptions text;
  program::ReportFiles files;
  theory::MeasureOptions measure;
  std::string recipes;
};

/// The integer presets, or the list given.
std::vector<NamedRecipes> recipes_of(const Options& o) {
  if (!o.recipes.empty()) return read_recipe_list(o.recipes);
  std::vector<NamedRecipes> list;
  for (const char* name : {"int8", "approach1", "approach2", "rowwise"}) list.push_back({name, "", {preset(name), {}}});
  return list;
}

void check_integer(const std::vector<NamedRecipes>& recipes) {
  for (const NamedRecipes& r : recipes) {
    bool integer = r.recipes.fallback.arithmetic == Arithmetic::Integer;
    for (const auto& [pattern, recipe] : r.recipes.layers) integer = integer && recipe.arithmetic == Arithmetic::Integer;
    if (!integer) fail("recipe {}: a float recipe has no codes to measure", r.name);
  }
}

void run(Options& o) {
  o.files.check();
  const std::vector<NamedRecipes> recipes = recipes_of(o);
  check_integer(recipes);
  const program::MeasuredText text = program::read_measured_text(o.text);
  const program::MeasuredModel model = text.open({preset("fp32"), {}});
  o.measure.seed = text.seed;

  std::vector<theory::InputRecord> records;
  Tape tape(/*recording=*/false);
  Pass pass{tape, {}, /*training=*/false, {}};
  pass.input_observer = [&](std::string_view input, ConstMatrixMap x) {
    records.push_back(theory::measure_input(input, x, recipes, o.measure));
  };
  model.encoder->encode(pass, text.batch);

  Json document = text.description(o.text.task);
  document["gamma"] = o.measure.gamma;
  document["shift"] = o.measure.shift;
  for (const theory::InputRecord& r : records)
    document["inputs"].push_back(theory::to_json(r, recipes, o.measure.shift));
  const std::string title = fmt::format("{}: what rounding takes from the linear layers' inputs, {} examples of {}",
                                        document.at("model").get<std::string>(), text.examples(), o.text.task.task);
  o.files.write(document, theory::markdown(records, recipes, o.measure.shift),
                [&] { return theory::plot(records, recipes, o.measure.shift, title); });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Measure what quantising leaves of the information in linear layers' inputs (the paper, section 4)",
               "theory");
  Options o;
  o.text.add_options(app);
  app.add_option("--recipes", o.recipes, "JSON list of named recipes (default: the integer presets)");
  app.add_option("--gamma", o.measure.gamma, "parts an input into inliers and outliers")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--shift", o.measure.shift, "shift of Eq. 6")->check(CLI::PositiveNumber)->capture_default_str();
  o.files.add_options(app);
  return program::run(app, argc, argv, [&] { run(o); });
}
