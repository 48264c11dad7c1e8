#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "fixtune/io/json.h"

namespace fixtune {

/// What is answered to each question, by its id; an empty answer says that there is none.
using SquadPredictions = std::map<std::string, std::string, std::less<>>;

/// Reads predictions in the official form, `{"id": "answer", ...}`. Throws Error naming the file, and the id whose
/// answer is not a string.
SquadPredictions read_squad_predictions(const std::filesystem::path& file);

/// The document that read_squad_predictions reads.
Json to_json(const SquadPredictions& predictions);

}  // namespace fixtune
