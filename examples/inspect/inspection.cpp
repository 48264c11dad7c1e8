#include "inspect/inspection.h"

#include <algorithm>
#include <map>

#include "program/layer_names.h"

namespace fixtune::inspect {
namespace {

bool is_encoder(std::string_view name) { return name.starts_with("encoder."); }

class Inspector {
 public:
  Inspector(BertEncoder& bert, std::uint64_t seed, const Question& question) : seed_(seed), question_(question) {
    for (const Parameter& p : bert.parameters()) {
      const std::string& name = p.variable.name();
      if (name.ends_with(".weight")) weights_[name.substr(0, name.size() - std::string(".weight").size())] = p.variable;
    }
  }

  void input(std::string_view name, ConstMatrixMap x) {
    if (!is_encoder(name)) return;
    const std::vector<std::string> readers = program::readers_of(name);
    found_.inputs.push_back(input_figures(name, x, question_.recipes(readers.front()), seed_));
    for (const std::string& layer : readers) add_layer(layer, x);
  }

  void output_gradient(std::string_view name, ConstMatrixMap dy) {
    const auto layer = std::find_if(found_.layers.begin(), found_.layers.end(),
                                    [&](const LayerFigures& l) { return l.name == name; });
    if (layer == found_.layers.end() || layer->recipe.arithmetic != Arithmetic::Integer) return;
    const std::string gradient = layer->name + ".output gradient";
    const Recipe& recipe = layer->recipe;
    layer->token_gradient_error = rounding_error(gradient, dy, recipe.format_dx(), recipe.gradient_gamma, seed_);
    const Tensor by_feature = transposed(dy);
    layer->feature_gradient_error =
        rounding_error(gradient, by_feature.map(), recipe.format_dw(), recipe.gradient_gamma, seed_);
  }

  Inspection take() { return std::move(found_); }

 private:
  void add_layer(const std::string& name, ConstMatrixMap x) {
    const ConstMatrixMap w = std::as_const(weights_.at(name)).value().map();
    LayerFigures layer;
    layer.name = name;
    layer.input = found_.inputs.size() - 1;
    layer.recipe = question_.recipes(name);
    layer.product_error = product_error(name, x, w, layer.recipe, seed_);
    if (layer.recipe.arithmetic == Arithmetic::Integer) {
      const QuantizedWeight prepared = prepare_weight(w, layer.recipe);
      layer.weight_step = *std::max_element(prepared.codes.steps.begin(), prepared.codes.steps.end());
      layer.weight_error =
          rounding_error(name + ".weight", w, layer.recipe.format_w(), layer.recipe.weight_gamma, seed_);
    }
    for (const NamedRecipes& other : question_.others)
      layer.others.push_back({other.name, product_error(name, x, w, other.recipes(name), seed_)});
    found_.layers.push_back(std::move(layer));
  }

  std::uint64_t seed_;
  const Question& question_;
  std::map<std::string, Variable> weights_;
  Inspection found_;
};

}  // namespace

Inspection inspect(const program::MeasuredModel& model, const program::MeasuredText& text, const Question& question) {
  Inspector inspector(*model.encoder, text.seed, question);
  Tape tape;
  Pass pass{tape, {text.seed, 0, 0}, /*training=*/false, {}};
  pass.input_observer = [&](std::string_view name, ConstMatrixMap x) { inspector.input(name, x); };
  pass.output_gradient_observer = [&](std::string_view name, ConstMatrixMap dy) {
    inspector.output_gradient(name, dy);
  };
  tape.backward(model.loss(pass));
  return inspector.take();
}

}  // namespace fixtune::inspect
