#include "fixtune/autograd/tape.h"

#include <utility>

namespace fixtune {

void Tape::record(std::function<void()> backward, std::initializer_list<std::shared_ptr<const Tensor>> kept,
                  std::size_t extra_bytes) {
  if (!recording_) return;
  steps_.push_back(std::move(backward));
  saved_bytes_ += extra_bytes;
  for (const auto& value : kept)
    if (counted_.insert(value.get()).second) saved_bytes_ += value->bytes();
}

void Tape::backward(const Variable& loss, float scale) {
  if (!loss || loss.rows() != 1 || loss.cols() != 1) {
    clear();
    fail("backward starts from a loss of shape [1, 1]");
  }
  backward_from(loss, Tensor::filled(1, 1, scale));
}

void Tape::backward_from(const Variable& output, Tensor gradient) {
  struct ClearAtEnd {
    Tape& tape;
    ~ClearAtEnd() { tape.clear(); }
  } const clear_at_end{*this};
  if (!output || output.rows() != gradient.rows() || output.cols() != gradient.cols())
    fail("backward starts from a gradient of the output's shape");
  if (!output.requires_grad()) fail("the loss depends on nothing that requires a gradient");
  output.gradient()->value = std::move(gradient);
  while (!steps_.empty()) {
    const std::function<void()> step = std::move(steps_.back());
    steps_.pop_back();
    step();
  }
}

void Tape::clear() {
  // Last step first: as in backward, activations are freed in the reverse of the order they were made.
  while (!steps_.empty()) steps_.pop_back();
  counted_.clear();
  saved_bytes_ = 0;
}

}  // namespace fixtune
