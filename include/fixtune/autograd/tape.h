#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>
#include <unordered_set>
#include <vector>

#include "fixtune/autograd/variable.h"

namespace fixtune {

/// Records the backward step of each operation and replays them in reverse.
///
/// With recording off (inference) operations save nothing. Each step is destroyed right after it ran, so
/// activations are freed on the way back.
class Tape {
 public:
  /// Empty; one that does not record is for inference.
  explicit Tape(bool recording = true) : recording_(recording) {}
  /// Not copied: a step runs once.
  ///@{
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;
  ///@}

  bool recording() const { return recording_; }  ///< False for inference: record() does nothing.
  /// True if an operation on these inputs has a backward step to record, and its output so requires a gradient.
  template <typename... Inputs>
  bool records(const Inputs&... inputs) const {
    return recording_ && (inputs.requires_grad() || ...);
  }
  /// Appends a backward step. `kept` are the values that the step keeps alive, `extra_bytes` what else it keeps
  /// (codes, masks, statistics). Values kept by several steps count once; parameters are not counted.
  void record(std::function<void()> backward, std::initializer_list<std::shared_ptr<const Tensor>> kept = {},
              std::size_t extra_bytes = 0);
  /// Runs all steps from `loss` `[1, 1]`, whose own gradient is set to `scale`; the tape is empty afterwards,
  /// also after an error. Throws Error if the loss has another shape or depends on nothing that requires a gradient.
  void backward(const Variable& loss, float scale = 1.0F);
  /// The same from any output, given the gradient of a loss with respect to it, of the output's shape.
  void backward_from(const Variable& output, Tensor gradient);
  /// Bytes that all recorded steps keep for the backward pass.
  std::size_t saved_bytes() const { return saved_bytes_; }
  void clear();  ///< Drops all steps, the last first, and what they keep alive.

 private:
  bool recording_;
  std::vector<std::function<void()>> steps_;
  std::unordered_set<const Tensor*> counted_;
  std::size_t saved_bytes_ = 0;
};

}  // namespace fixtune
