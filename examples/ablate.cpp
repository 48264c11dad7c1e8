// Runs a model once per recipe of a list on the same real text, and sets hidden states and gradients against FP32's.
#include <fmt/format.h>

#include "ablate/figures.h"
#include "program/progress.h"
#include "program/report_files.h"
#include "program/run.h"

namespace {

using namespace fixtune;

struct Options {
  program::MeasuredTextOptions text;
  program::ReportFiles files;
  std::string recipes;
  Index draws = 1;
};

/// Refuses a pattern that matches no layer before anything runs, not when its turn comes.
void check_patterns(const std::vector<NamedRecipes>& list, const program::MeasuredText& text) {
  const std::vector<std::string> layers = text.open({preset("fp32"), {}}).linear_names();
  for (const NamedRecipes& r : list)
    for (const std::string& pattern : r.recipes.unmatched(layers))
      fail("recipe {}: pattern \"{}\" matches no layer of {}", r.name, pattern, text.model);
}

void run(const Options& o) {
  o.files.check();
  const std::vector<NamedRecipes> list = read_recipe_list(o.recipes);
  const program::MeasuredText text = program::read_measured_text(o.text);
  check_patterns(list, text);
  const ablate::EncoderRun fp32 = ablate::run_encoder(text, {preset("fp32"), {}}, 0);
  program::Progress bar("ablate");
  std::vector<ablate::RecipeFigures> figures;
  for (const NamedRecipes& recipes : list) {
    bar.show(static_cast<long>(figures.size()), static_cast<long>(list.size()), recipes.name);
    figures.push_back(ablate::measure(text, recipes, o.draws, fp32));
  }
  bar.finish();
  Json document = text.description(o.text.task);
  document["loss"] = fp32.loss;
  for (const ablate::RecipeFigures& f : figures) document["recipes"].push_back(ablate::to_json(f));
  const std::string title = fmt::format("{}: errors against FP32 on {} examples of {}",
                                        document.at("model").get<std::string>(), text.examples(), o.text.task.task);
  o.files.write(document, ablate::markdown(figures), [&] { return ablate::plot(figures, title); });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Set the errors of recipes beside each other: last hidden states and encoder gradients against FP32",
               "ablate");
  Options o;
  o.text.add_options(app);
  app.add_option("--recipes", o.recipes, "JSON list of named recipes")->required();
  app.add_option("--draws", o.draws, "runs of a recipe that rounds stochastically")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  o.files.add_options(app);
  return program::run(app, argc, argv, [&] { run(o); });
}
