#include "fixtune/data/squad_predictions.h"

#include "fixtune/core/error.h"

namespace fixtune {

SquadPredictions read_squad_predictions(const std::filesystem::path& file) {
  const Json document = read_json(file);
  if (!document.is_object()) fail("{}: not a JSON object of ids and answers", file.string());
  SquadPredictions predictions;
  for (const auto& [id, answer] : document.items()) {
    if (!answer.is_string()) fail("{}: the answer to \"{}\" is {}, not a string", file.string(), id, answer.dump());
    predictions[id] = answer.get<std::string>();
  }
  return predictions;
}

Json to_json(const SquadPredictions& predictions) {
  Json document = Json::object();
  for (const auto& [id, answer] : predictions) document[id] = answer;
  return document;
}

}  // namespace fixtune
