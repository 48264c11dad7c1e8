#include "step/linears_alone.h"

#include <initializer_list>
#include <utility>
#include <vector>

#include "program/rounds.h"
#include "program/synthetic.h"

namespace fixtune::bench {
namespace {

class Timing {
 public:
  Timing(const BertConfig& config, Index tokens)
      : hidden_(normal_values(tokens, config.hidden, /*seed=*/1)),
        intermediate_(normal_values(tokens, config.intermediate, /*seed=*/2)) {}

  void add(std::initializer_list<Linear*> layers) {
    prepare(layers);
    Tape tape;
    Pass pass{tape, {}, /*training=*/true, {}};
    const Variable x(of_width((*layers.begin())->weight.cols()), /*requires_grad=*/true);
    std::vector<Variable> y;
    times_.forward += seconds([&] { y = apply_linears(pass, x, layers, "x"); });
    std::vector<Tensor> dy;
    for (const Variable& output : y) dy.push_back(of_width(output.cols()));
    times_.backward += seconds([&] {
      for (std::size_t i = 1; i < y.size(); ++i) y[i].gradient()->accumulate(std::move(dy[i]));
      tape.backward_from(y[0], std::move(dy[0]));
    });
    for (Linear* layer : layers) {
      layer->weight.zero_grad();
      layer->bias.zero_grad();
    }
  }

  const LinearTimes& times() const { return times_; }

 private:
  const Tensor& of_width(Index width) const { return width == hidden_.cols() ? hidden_ : intermediate_; }

  /// Times the quantising of W, and lets the layers do it too, on one token, so that it is not in the forward's time.
  void prepare(std::initializer_list<Linear*> layers) {
    for (Linear* layer : layers)
      times_.prepare += seconds([&] { prepare_weight(layer->weight.value(), layer->recipe); });
    Tape tape(/*recording=*/false);
    Pass pass{tape, {}, false, {}};
    apply_linears(pass, Variable(Tensor::filled(1, (*layers.begin())->weight.cols(), 1.0F)), layers, "x");
  }

  Tensor hidden_, intermediate_;
  LinearTimes times_;
};

}  // namespace

LinearTimes time_linears_alone(Bert& bert, Index tokens) {
  Timing timing(bert.config(), tokens);
  for (BertLayer& layer : bert.layers()) {
    timing.add({&layer.query, &layer.key, &layer.value});
    timing.add({&layer.attention_output});
    timing.add({&layer.intermediate});
    timing.add({&layer.output});
  }
  bert.weights_changed();
  return timing.times();
}

}  // namespace fixtune::bench
