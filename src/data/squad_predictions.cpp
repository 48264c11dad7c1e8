#include "fixtune/data/squad_predictions.h"

#include "fixtune/core/error.h"
#include "fixtune/io/file.h"
#include "fixtune/io/json.h"

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

void write_squad_predictions(const SquadPredictions& predictions, const std::filesystem::path& file) {
  Json document = Json::object();
  for (const auto& [id, answer] : predictions) document[id] = answer;
  write_file_atomically(file, document.dump(2) + "\n");
}

}  // namespace fixtune
