#include "fixtune/train/training_state.h"

#include "fixtune/core/error.h"

namespace fixtune {
namespace {

Index count_of(const Json& document, const char* field, std::string_view where) {
  const Json& value = document.at(field);
  if (!value.is_number_integer() || value.get<Index>() < 0) fail("{}: {} is no count: {}", where, field, value.dump());
  return value.get<Index>();
}

}  // namespace

Json to_json(const TrainingState& state) {
  Json epochs = Json::array();
  for (const EpochResult& epoch : state.result.epochs)
    epochs.push_back({{"loss", epoch.loss}, {"seconds", epoch.seconds}, {"metrics", to_json(epoch.metrics)}});
  return {{"step", state.step},
          {"epoch_loss", state.epoch_loss},
          {"epoch_examples", state.epoch_examples},
          {"epoch_seconds", state.epoch_seconds},
          {"epochs", std::move(epochs)},
          {"seconds", state.result.seconds},
          {"tokens", state.result.tokens},
          {"saved_activation_bytes", state.result.saved_activation_bytes},
          {"outliers", state.result.outliers.sums()}};
}

TrainingState parse_training_state(const Json& document, std::string_view where) try {
  TrainingState state;
  state.step = count_of(document, "step", where);
  state.epoch_loss = document.at("epoch_loss");
  state.epoch_examples = count_of(document, "epoch_examples", where);
  state.epoch_seconds = document.at("epoch_seconds");
  for (const Json& epoch : document.at("epochs"))
    state.result.epochs.push_back({epoch.at("loss"), epoch.at("seconds"), parse_metrics(epoch.at("metrics"))});
  state.result.seconds = document.at("seconds");
  state.result.tokens = count_of(document, "tokens", where);
  state.result.saved_activation_bytes =
      static_cast<std::size_t>(count_of(document, "saved_activation_bytes", where));
  state.result.outliers = OutlierLog::from_sums(document.at("outliers"), where);
  return state;
} catch (const nlohmann::json::exception& error) {
  fail("{}: {}", where, error.what());
}

}  // namespace fixtune
