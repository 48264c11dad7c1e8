#include "program/used_contexts.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace fixtune::program {

void drop_unused_contexts(SquadDataset& data) {
  std::map<std::size_t, std::size_t> places;
  std::vector<std::string> used;
  for (Question& question : data.questions) {
    const auto [place, is_new] = places.try_emplace(question.context, used.size());
    if (is_new) used.push_back(std::move(data.contexts[question.context]));
    question.context = place->second;
  }
  data.contexts = std::move(used);
}

}  // namespace fixtune::program
