#include "inspect/proposal.h"

#include <algorithm>
#include <map>

#include "fixtune/train/recipe_file.h"

namespace fixtune::inspect {
namespace {

double error_under(const LayerFigures& layer, const std::string& recipe) {
  for (const ProductError& other : layer.others)
    if (other.recipe == recipe) return other.error;
  fail("{}: not measured under {}", layer.name, recipe);
}

const Candidate& choose(const LayerFigures& layer, double tolerance) {
  for (const Candidate& candidate : candidates())
    if (error_under(layer, candidate.name) <= tolerance) return candidate;
  return candidates().back();
}

const Json& recipe_of(const std::string& choice) {
  return std::find_if(candidates().begin(), candidates().end(), [&](const Candidate& c) { return c.name == choice; })
      ->recipe;
}

std::string commonest(const std::vector<std::string>& choices) {
  std::map<std::string, int> counts;
  for (const std::string& choice : choices) ++counts[choice];
  const auto most = std::max_element(counts.begin(), counts.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == counts.end() ? candidates().front().name : most->first;
}

/// "encoder.layer.10.output.dense" as "encoder.layer.??.output.dense": "*" would stand for "10.attention" too.
std::string kind_of(std::string layer) {
  constexpr std::string_view front = "encoder.layer.";
  if (!layer.starts_with(front)) return layer;
  for (std::size_t i = front.size(); i < layer.size() && layer[i] != '.'; ++i) layer[i] = '?';
  return layer;
}

/// One line for a kind of layer whose choices agree, one a layer where they do not.
Json differing_layers(const Inspection& inspection, const std::vector<std::string>& choices,
                      const std::string& fallback) {
  std::map<std::string, std::vector<std::size_t>> kinds;
  for (std::size_t i = 0; i < choices.size(); ++i) kinds[kind_of(inspection.layers[i].name)].push_back(i);
  Json layers = Json::object();
  for (const auto& [kind, members] : kinds) {
    const std::string& first = choices[members.front()];
    const bool agree = std::all_of(members.begin(), members.end(), [&](std::size_t i) { return choices[i] == first; });
    if (agree && first != fallback) layers[kind] = recipe_of(first);
    if (agree) continue;
    for (const std::size_t i : members)
      if (choices[i] != fallback) layers[inspection.layers[i].name] = recipe_of(choices[i]);
  }
  return layers;
}

}  // namespace

const std::vector<Candidate>& candidates() {
  static const std::vector<Candidate> all = {
      {"rowwise", "rowwise"},
      {"rowwise, gamma 2", {{"preset", "rowwise"}, {"gamma", 2.0}}},
      {"rowwise, gamma 1", {{"preset", "rowwise"}, {"gamma", 1.0}}},
      {"bf16", "bf16"}};
  return all;
}

std::vector<NamedRecipes> candidate_recipes() {
  std::vector<NamedRecipes> list;
  for (const Candidate& c : candidates()) list.push_back({c.name, "", parse_recipes({{"default", c.recipe}}, c.name)});
  return list;
}

Proposal propose(const Inspection& inspection, double tolerance) {
  Proposal proposal;
  for (const LayerFigures& layer : inspection.layers) proposal.choices.push_back(choose(layer, tolerance).name);
  const std::string fallback = commonest(proposal.choices);
  proposal.recipe_file["default"] = recipe_of(fallback);
  Json layers = differing_layers(inspection, proposal.choices, fallback);
  if (!layers.empty()) proposal.recipe_file["layers"] = std::move(layers);
  return proposal;
}

}  // namespace fixtune::inspect
