#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fixtune/core/tensor.h"

namespace fixtune {

/// Where the gradient of one variable is summed. Kept apart from the value, so that an operation whose backward
/// does not need a value does not keep it alive.
struct Gradient {
  Index rows = 0;         ///< of the variable's value, and of every gradient that is added
  Index cols = 0;         ///< the same
  bool required = false;  ///< false: frozen or constant, nothing flows here
  Tensor value;           ///< empty until the first accumulate
  std::string name;       ///< of a parameter; empty for intermediate results

  /// value += g; takes g over when it is the first. Throws Error if the shape is another one.
  void accumulate(Tensor g);
  /// The sum so far; a zero tensor is made when there is none yet, for operations that add in place.
  Tensor& materialise();
  /// The same for operations that add to these rows only, as a lookup does: where it made the zeros, clear() makes
  /// zeros of these rows again, not of the whole table, and keeps them for the next step.
  Tensor& materialise_rows(std::span<const std::int32_t> rows_added_to);
  /// Hands the sum over and leaves the slot empty: how a backward step reads the gradient of its output, so that
  /// gradients of intermediate results live no longer than needed.
  Tensor take();
  /// Leaves the slot empty.
  void clear();

 private:
  Tensor zeros_;                      // all zero, for the next materialise_rows
  std::vector<std::int32_t> touched_; // rows of `value` that may differ from 0, if
  const float* touched_data_ = nullptr;  // it is this one
};

/// A value in a computation and the slot for its gradient; copies share both.
class Variable {
 public:
  /// No value and no slot: only to be tested or assigned to.
  Variable() = default;
  /// Takes the value over, with an empty gradient slot of its shape; `name` is for parameters, and appears in errors.
  explicit Variable(Tensor value, bool requires_grad = false, std::string name = {});

  const Tensor& value() const { return *value_; }     ///< There must be one.
  Tensor& mutable_value() { return *value_; }         ///< To be changed in place: every copy sees it.
  Index rows() const { return value_->rows(); }       ///< of the value
  Index cols() const { return value_->cols(); }       ///< of the value
  bool requires_grad() const { return gradient_->required; }  ///< False: frozen or constant.
  /// False freezes a parameter, in all its copies: its gradient is not computed.
  void set_requires_grad(bool required) { gradient_->required = required; }
  const std::string& name() const { return gradient_->name; }  ///< Empty for intermediate results.
  /// The gradient so far, of the value's shape; empty until a backward pass reaches it.
  const Tensor& grad() const { return gradient_->value; }
  void zero_grad() { gradient_->clear(); }  ///< Leaves grad() empty.

  /// What a backward closure captures: the value only if it needs it, the gradient slot always.
  std::shared_ptr<const Tensor> shared_value() const { return value_; }
  /// The slot, which a backward step may hold for longer than the value lives; never null where there is a value.
  std::shared_ptr<Gradient> gradient() const { return gradient_; }
  explicit operator bool() const { return value_ != nullptr; }  ///< True where there is a value.

 private:
  std::shared_ptr<Tensor> value_;
  std::shared_ptr<Gradient> gradient_;
};

}  // namespace fixtune
