#include "fixtune/autograd/attention.h"

#include <atomic>
#include <cmath>
#include <vector>

#include "elementwise_kernels.h"
#include "fixtune/core/parallel.h"
#include "row_kernels.h"

namespace fixtune {

namespace {

// One head of one sentence: the unit of work. Every item writes its own slices, so who runs it changes no bit.
struct Item {
  Index first = 0;   ///< first token
  Index length = 0;  ///< tokens
  Index column = 0;  ///< first column of the head
  Index weights = 0; ///< where its [length, length] attention weights begin
};

struct Plan {
  std::vector<Item> items;
  Index weights = 0;  ///< of all items
  Index hidden = 0;
  Index head_size = 0;
  float factor = 1.0F;  ///< 1 / sqrt(head_size)
  FloatKind products = FloatKind::FP32;
  detail::DropoutMask mask;
};

Plan make_plan(Index tokens, Index hidden, std::span<const Index> offsets, const AttentionOptions& options) {
  if (options.heads < 1 || hidden % options.heads != 0)
    fail("attention: {} heads do not divide {} columns", options.heads, hidden);
  if (!(options.dropout >= 0.0F && options.dropout < 1.0F))
    fail("attention: dropout probability {} is outside [0, 1)", options.dropout);
  if (offsets.empty() || offsets.front() != 0 || offsets.back() != tokens)
    fail("attention: sentence offsets must go from 0 to the {} tokens", tokens);
  Plan plan;
  plan.hidden = hidden;
  plan.head_size = hidden / options.heads;
  plan.factor = 1.0F / std::sqrt(static_cast<float>(plan.head_size));
  plan.products = options.products;
  plan.mask = {options.random.low(), options.random.high(), options.dropout, 1.0F / (1.0F - options.dropout)};
  for (std::size_t s = 0; s + 1 < offsets.size(); ++s) {
    const Index length = offsets[s + 1] - offsets[s];
    if (length < 0) fail("attention: sentence {} ends before it begins", s);
    for (Index h = 0; length > 0 && h < options.heads; ++h) {
      plan.items.push_back({offsets[s], length, h * plan.head_size, plan.weights});
      plan.weights += length * length;
    }
  }
  return plan;
}

// Calls body(item, scratch) for every item; a thread that is done takes the next one, as lengths differ.
template <typename Body>
void for_each_item(const Plan& plan, const Body& body) {
  std::atomic<std::size_t> next{0};
  parallel_for(thread_count(), 1, [&](Index, Index) {
    AlignedBuffer<float> scratch;
    for (std::size_t i = next++; i < plan.items.size(); i = next++) body(plan.items[i], scratch);
  });
}

// A head's slice of [tokens, hidden].
template <typename T>
T* slice(T* data, const Item& item, const Plan& plan) {
  return data + item.first * plan.hidden + item.column;
}

// [length, length] = rows of a slice times rows of another.
void product_of_slices(float* c, const float* a, const float* b, const Item& item, const Plan& plan) {
  const Index n = item.length;
  float_product_serial(plan.products, {a, b, c, n, n, plan.head_size, plan.hidden, plan.hidden, n}, Transpose::No,
                       /*transpose_b=*/Transpose::Yes);
}

// slice = op(weights) times a slice.
void weigh_slice(float* c, const float* weights, Transpose transpose, const float* b, const Item& item,
                 const Plan& plan) {
  const Index n = item.length;
  float_product_serial(plan.products, {weights, b, c, n, plan.head_size, n, n, plan.hidden, plan.hidden}, transpose,
                       Transpose::No);
}

void apply_dropout(float* out, const float* in, const Item& item, const Plan& plan) {
  detail::dropout_into(out, in, plan.mask, static_cast<std::uint64_t>(item.weights), item.length * item.length);
}

Tensor forward(const Plan& plan, const Tensor& q, const Tensor& k, const Tensor& v, AlignedBuffer<float>& weights) {
  Tensor y(q.rows(), q.cols());
  for_each_item(plan, [&](const Item& item, AlignedBuffer<float>& scratch) {
    float* p = weights.data() + item.weights;
    product_of_slices(p, slice(q.data(), item, plan), slice(k.data(), item, plan), item, plan);
    detail::softmax_rows(p, plan.factor, item.length, item.length);
    if (plan.mask.probability > 0.0F) {
      scratch.resize_discarding(item.length * item.length);
      apply_dropout(scratch.data(), p, item, plan);
      p = scratch.data();
    }
    weigh_slice(slice(y.data(), item, plan), p, Transpose::No, slice(v.data(), item, plan), item, plan);
  });
  return y;
}

struct Saved {
  Plan plan;
  AlignedBuffer<float> weights;
  std::shared_ptr<const Tensor> q, k, v;
};

void backward(const Saved& saved, const Tensor& dy, Gradient& dq_slot, Gradient& dk_slot, Gradient& dv_slot) {
  const Plan& plan = saved.plan;
  const auto made_if = [&](bool required) { return required ? Tensor(dy.rows(), dy.cols()) : Tensor(); };
  Tensor dq = made_if(dq_slot.required);
  Tensor dk = made_if(dk_slot.required);
  Tensor dv = made_if(dv_slot.required);
  const bool drops = plan.mask.probability > 0.0F;
  for_each_item(plan, [&](const Item& item, AlignedBuffer<float>& scratch) {
    const Index size = item.length * item.length;
    scratch.resize_discarding(size);
    const float* p = saved.weights.data() + item.weights;
    const float* dy_slice = slice(dy.data(), item, plan);
    if (dv_slot.required) {
      if (drops) apply_dropout(scratch.data(), p, item, plan);
      weigh_slice(slice(dv.data(), item, plan), drops ? scratch.data() : p, Transpose::Yes, dy_slice, item, plan);
    }
    if (!dq_slot.required && !dk_slot.required) return;
    float* dp = scratch.data();
    product_of_slices(dp, dy_slice, slice(saved.v->data(), item, plan), item, plan);
    if (drops) apply_dropout(dp, dp, item, plan);
    detail::softmax_rows_backward(dp, p, plan.factor, item.length, item.length);
    if (dq_slot.required)
      weigh_slice(slice(dq.data(), item, plan), dp, Transpose::No, slice(saved.k->data(), item, plan), item, plan);
    if (dk_slot.required)
      weigh_slice(slice(dk.data(), item, plan), dp, Transpose::Yes, slice(saved.q->data(), item, plan), item, plan);
  });
  if (dq_slot.required) dq_slot.accumulate(std::move(dq));
  if (dk_slot.required) dk_slot.accumulate(std::move(dk));
  if (dv_slot.required) dv_slot.accumulate(std::move(dv));
}

}  // namespace

Variable attention(Tape& tape, const Variable& q, const Variable& k, const Variable& v,
                   std::span<const Index> offsets, const AttentionOptions& options) {
  for (const Variable* other : {&k, &v})
    if (other->rows() != q.rows() || other->cols() != q.cols())
      fail("attention: q has shape [{}, {}], k or v [{}, {}]", q.rows(), q.cols(), other->rows(), other->cols());

  Saved saved{make_plan(q.rows(), q.cols(), offsets, options), {}, q.shared_value(), k.shared_value(),
              v.shared_value()};
  saved.weights = AlignedBuffer<float>(saved.plan.weights);
  Tensor y = forward(saved.plan, q.value(), k.value(), v.value(), saved.weights);
  const bool records = tape.records(q, k, v);
  Variable output(std::move(y), records);
  if (!records) return output;

  const std::size_t bytes = saved.weights.bytes();
  tape.record(
      [saved = std::move(saved), dq = q.gradient(), dk = k.gradient(),
       dv = v.gradient(), gradient = output.gradient()] {
        const Tensor dy = gradient->take();
        if (!dy.empty()) backward(saved, dy, *dq, *dk, *dv);
      },
      {q.shared_value(), k.shared_value(), v.shared_value()}, bytes);
  return output;
}

}  // namespace fixtune
