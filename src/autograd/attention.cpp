#include "fixtune/autograd/attention.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <vector>

#include "dropout_mask.h"
#include "fixtune/core/parallel.h"
#include "lane_kernels.h"

namespace fixtune {

namespace {

// One head of one sentence: the unit of work. Every item writes its own slices, so who runs it changes no bit.
struct Item {
  Index first = 0;   ///< first token
  Index length = 0;  ///< tokens
  Index head = 0;
  Index row = 0;     ///< its first row of attention weights, over all items
};

struct Plan {
  std::vector<Item> items;  ///< the longest first, so that no thread is left with a long one at the end
  Index rows = 0;           ///< of attention weights, over all items
  Index longest = 0;
  AlignedBuffer<std::uint32_t> mixed_keys;
  detail::AttentionShape shape;

  std::size_t bytes() const { return items.size() * sizeof(Item) + mixed_keys.bytes(); }
};

detail::AttentionShape make_shape(Index hidden, const AttentionOptions& options) {
  if (options.heads < 1 || hidden % options.heads != 0)
    fail("attention: {} heads do not divide {} columns", options.heads, hidden);
  detail::AttentionShape shape;
  shape.size = hidden / options.heads;
  shape.stride = hidden;
  shape.factor = 1.0F / std::sqrt(static_cast<float>(shape.size));
  shape.bf16 = options.products == FloatKind::BF16;
  shape.mask = detail::dropout_mask(options.random, options.dropout, "attention");
  return shape;
}

Plan make_plan(Index tokens, Index hidden, std::span<const Index> offsets, const AttentionOptions& options) {
  Plan plan;
  plan.shape = make_shape(hidden, options);
  if (offsets.empty() || offsets.front() != 0 || offsets.back() != tokens)
    fail("attention: sentence offsets must go from 0 to the {} tokens", tokens);
  plan.items.reserve((offsets.size() - 1) * static_cast<std::size_t>(options.heads));
  for (std::size_t s = 0; s + 1 < offsets.size(); ++s) {
    const Index length = offsets[s + 1] - offsets[s];
    if (length < 0) fail("attention: sentence {} ends before it begins", s);
    for (Index h = 0; length > 0 && h < options.heads; ++h, plan.rows += length)
      plan.items.push_back({offsets[s], length, h, plan.rows});
    plan.longest = std::max(plan.longest, length);
  }
  std::stable_sort(plan.items.begin(), plan.items.end(),
                   [](const Item& a, const Item& b) { return a.length > b.length; });
  constexpr Index whole_vectors = 16;
  plan.mixed_keys = AlignedBuffer<std::uint32_t>((plan.longest + whole_vectors - 1) / whole_vectors * whole_vectors);
  for (Index i = 0; i < plan.mixed_keys.size(); ++i)
    plan.mixed_keys[i] = mix32(static_cast<std::uint32_t>(i) ^ plan.shape.mask.low);
  return plan;
}

detail::AttentionHead head_of(const Plan& plan, std::size_t i) {
  const Item& item = plan.items[i];
  detail::AttentionHead head{item.length, static_cast<std::uint64_t>(item.row)};
  const std::size_t next = i + static_cast<std::size_t>(thread_count());  // where lengths are alike
  if (next < plan.items.size()) {
    head.next_length = plan.items[next].length;
    head.to_next = (plan.items[next].first - item.first) * plan.shape.stride +
                   (plan.items[next].head - item.head) * plan.shape.size;
  }
  return head;
}

// Calls body(item, head, scratch) for every item; a thread that is done takes the next one, as lengths differ.
template <typename Body>
void for_each_item(const Plan& plan, const Body& body) {
  std::atomic<std::size_t> next{0};
  const Index scratch_size = detail::lane_kernels().attention_scratch(plan.longest, plan.shape.size);
  parallel_for(thread_count(), 1, [&](Index, Index) {
    thread_local AlignedBuffer<float> scratch;
    scratch.resize_discarding(scratch_size);
    for (std::size_t i = next++; i < plan.items.size(); i = next++) body(plan.items[i], head_of(plan, i), scratch.data());
  });
}

// A head's slice of [tokens, hidden], or null of an absent one.
template <typename T>
T* slice(T* data, const Item& item, const Plan& plan) {
  return data == nullptr ? nullptr : data + item.first * plan.shape.stride + item.head * plan.shape.size;
}

// Where the BF16 copy of that slice lies: the heads of a sentence one after the other.
template <typename T>
T* compact_slice(T* data, const Item& item, const Plan& plan) {
  return data == nullptr ? nullptr : data + item.first * plan.shape.stride + item.head * plan.shape.size * item.length;
}

struct Saved {
  Plan plan;
  AlignedBuffer<float> maximum, inverse_sum;            // of each row of weights
  std::shared_ptr<const Tensor> q, k, v;                // either
  AlignedBuffer<std::uint16_t> bf16_q, bf16_k, bf16_v;  // or

  detail::AttentionShape shape() const {
    detail::AttentionShape s = plan.shape;
    s.mixed_keys = plan.mixed_keys.data();
    return s;
  }
  // Its own bytes; tensors are counted by the tape.
  std::size_t bytes() const {
    return plan.bytes() + maximum.bytes() + inverse_sum.bytes() + bf16_q.bytes() + bf16_k.bytes() + bf16_v.bytes();
  }
};

float* rows_from(const AlignedBuffer<float>& buffer, const Item& item) {
  return buffer.size() == 0 ? nullptr : const_cast<float*>(buffer.data()) + item.row;
}

Tensor forward(Saved& saved, const Tensor& q, const Tensor& k, const Tensor& v) {
  Tensor y(q.rows(), q.cols());
  const Plan& plan = saved.plan;
  const detail::AttentionShape shape = saved.shape();
  for_each_item(plan, [&](const Item& item, const detail::AttentionHead& head, float* scratch) {
    detail::AttentionForward f;
    f.q = slice(q.data(), item, plan);
    f.k = slice(k.data(), item, plan);
    f.v = slice(v.data(), item, plan);
    f.kept_q = compact_slice(saved.bf16_q.data(), item, plan);
    f.kept_k = compact_slice(saved.bf16_k.data(), item, plan);
    f.kept_v = compact_slice(saved.bf16_v.data(), item, plan);
    f.rows = {rows_from(saved.maximum, item), rows_from(saved.inverse_sum, item)};
    f.y = slice(y.data(), item, plan);
    detail::lane_kernels().attention_forward(shape, head, f, scratch);
  });
  return y;
}

void backward(const Saved& saved, const Tensor& dy, Gradient& dq_slot, Gradient& dk_slot, Gradient& dv_slot) {
  const Plan& plan = saved.plan;
  const detail::AttentionShape shape = saved.shape();
  const auto made_if = [&](bool required) { return required ? Tensor(dy.rows(), dy.cols()) : Tensor(); };
  Tensor dq = made_if(dq_slot.required);
  Tensor dk = made_if(dk_slot.required);
  Tensor dv = made_if(dv_slot.required);
  for_each_item(plan, [&](const Item& item, const detail::AttentionHead& head, float* scratch) {
    const auto operand = [&](const std::shared_ptr<const Tensor>& fp32, const AlignedBuffer<std::uint16_t>& bf16) {
      return detail::AttentionOperand{fp32 ? slice(fp32->data(), item, plan) : nullptr,
                                      compact_slice(bf16.data(), item, plan)};
    };
    detail::AttentionBackward b;
    b.q = operand(saved.q, saved.bf16_q);
    b.k = operand(saved.k, saved.bf16_k);
    b.v = operand(saved.v, saved.bf16_v);
    b.rows = {rows_from(saved.maximum, item), rows_from(saved.inverse_sum, item)};
    b.dy = slice(dy.data(), item, plan);
    b.dq = slice(dq.data(), item, plan);
    b.dk = slice(dk.data(), item, plan);
    b.dv = slice(dv.data(), item, plan);
    detail::lane_kernels().attention_backward(shape, head, b, scratch);
  });
  if (dq_slot.required) dq_slot.accumulate(std::move(dq));
  if (dk_slot.required) dk_slot.accumulate(std::move(dk));
  if (dv_slot.required) dv_slot.accumulate(std::move(dv));
}

void check_shapes(const Variable& q, const Variable& k, const Variable& v) {
  for (const Variable* other : {&k, &v})
    if (other->rows() != q.rows() || other->cols() != q.cols())
      fail("attention: q has shape [{}, {}], k or v [{}, {}]", q.rows(), q.cols(), other->rows(), other->cols());
}

// What the backward step will need, allocated; the forward fills it.
Saved make_saved(Plan plan, Kept kept, const Variable& q, const Variable& k, const Variable& v) {
  Saved saved;
  saved.maximum = AlignedBuffer<float>(plan.rows);
  saved.inverse_sum = AlignedBuffer<float>(plan.rows);
  saved.plan = std::move(plan);
  if (kept == Kept::FP32) {
    saved.q = q.shared_value();
    saved.k = k.shared_value();
    saved.v = v.shared_value();
  } else {
    for (auto* buffer : {&saved.bf16_q, &saved.bf16_k, &saved.bf16_v})
      *buffer = AlignedBuffer<std::uint16_t>(q.value().size());
  }
  return saved;
}

}  // namespace

Variable attention(Tape& tape, const Variable& q, const Variable& k, const Variable& v,
                   std::span<const Index> offsets, const AttentionOptions& options) {
  check_shapes(q, k, v);
  const bool records = tape.records(q, k, v);
  Plan plan = make_plan(q.rows(), q.cols(), offsets, options);
  Saved saved;
  if (records)
    saved = make_saved(std::move(plan), options.kept, q, k, v);
  else
    saved.plan = std::move(plan);
  Variable output(forward(saved, q.value(), k.value(), v.value()), records);
  if (!records) return output;

  const std::size_t bytes = saved.bytes();
  auto step = [saved = std::move(saved), dq = q.gradient(), dk = k.gradient(), dv = v.gradient(),
               gradient = output.gradient()] {
    const Tensor dy = gradient->take();
    if (!dy.empty()) backward(saved, dy, *dq, *dk, *dv);
  };
  if (options.kept == Kept::FP32)
    tape.record(std::move(step), {q.shared_value(), k.shared_value(), v.shared_value()}, bytes);
  else
    tape.record(std::move(step), {}, bytes);
  return output;
}

}  // namespace fixtune
