// Shows the outliers of a model's linear layers on real text, what each recipe makes of them, and proposes a recipe.
#include <fmt/format.h>

#include "fixtune/io/file.h"
#include "fixtune/train/recipe_file.h"
#include "inspect/output.h"
#include "program/report_files.h"
#include "program/run.h"

namespace {

using namespace fixtune;

struct Options {
  program::MeasuredTextOptions text;
  std::string recipe = "rowwise", json, html, markdown, proposal;
  double tolerance = 0.02;
};

void add_options(CLI::App& app, Options& o) {
  o.text.add_options(app, /*task_required=*/false);
  app.add_option("--recipe", o.recipe, "whose codes are shown: a preset, or a JSON file")->capture_default_str();
  app.add_option("--tolerance", o.tolerance, "largest relative error of a layer's product that the proposal allows")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--proposal", o.proposal, "file for the proposed recipe, for finetune --recipe");
  app.add_option("--html", o.html, "file for a page with heat map, histograms and table");
  app.add_option("--json", o.json, "file for all figures");
  app.add_option("--markdown", o.markdown, "file for the table (default: standard output)");
}

void check(const Options& o) {
  for (const auto& [option, file] : {std::pair{"--proposal", &o.proposal}, {"--html", &o.html}, {"--json", &o.json},
                                     {"--markdown", &o.markdown}})
    program::check_writable(option, *file);
}

RecipeMap recipes_for(BertEncoder& bert, const Options& o) {
  RecipeMap recipes = read_recipes(o.recipe);
  for (const std::string& pattern : recipes.unmatched(bert.linear_names()))
    fail("--recipe {}: pattern \"{}\" matches no layer of {}", o.recipe, pattern, o.text.model);
  return recipes;
}

/// The paper's recipes and what may be proposed.
std::vector<NamedRecipes> others() {
  std::vector<NamedRecipes> list;
  for (const char* name : {"int8", "approach1", "approach2"}) list.push_back({name, "", {preset(name), {}}});
  for (NamedRecipes& candidate : inspect::candidate_recipes()) list.push_back(std::move(candidate));
  return list;
}

void run(const Options& o) {
  check(o);
  const program::MeasuredText text = program::read_measured_text(o.text);
  const program::MeasuredModel model = text.open({preset("fp32"), {}});
  const inspect::Question question{recipes_for(*model.encoder, o), others()};
  const inspect::Inspection found = inspect::inspect(model, text, question);
  const inspect::Proposal proposal = inspect::propose(found, o.tolerance);
  Json document = text.description(o.text.task);
  document["recipe"] = to_json(question.recipes);
  document["tolerance"] = o.tolerance;
  document.update(inspect::to_json(found, proposal));
  if (!o.json.empty()) write_file_atomically(o.json, document.dump(1) + "\n");
  if (!o.html.empty()) write_file_atomically(o.html, inspect::html(document));
  if (!o.proposal.empty()) write_file_atomically(o.proposal, proposal.recipe_file.dump(1) + "\n");
  const std::string table = inspect::markdown(found, proposal);
  if (!o.markdown.empty()) return write_file_atomically(o.markdown, table);
  fmt::print("{}\nProposed recipe:\n{}\n", table, proposal.recipe_file.dump(1));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Show the outliers of a model's linear layers, and propose a recipe", "inspect");
  Options o;
  add_options(app, o);
  return program::run(app, argc, argv, [&] { run(o); });
}
