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
  struct ClearAtEnd {
    Tape& tape;
    ~ClearAtEnd() { tape.clear(); }
  } const clear_at_end{*this};
  if (!loss || loss.rows() != 1 || loss.cols() != 1) fail("backward starts from a loss of shape [1, 1]");
  if (!loss.requires_grad()) fail("the loss depends on nothing that requires a gradient");
  loss.gradient()->value = Tensor::filled(1, 1, scale);
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
