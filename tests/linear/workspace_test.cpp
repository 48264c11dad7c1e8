// The linear layer on memory the caller owns: raw pointers with strides, and a workspace.
#include "fixtune/core/workspace.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "fixtune/core/random.h"
#include "fixtune/linear/linear.h"
#include "on_threads.h"

// Sanitizers bring their own operator new.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTS_ALLOCATIONS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COUNTS_ALLOCATIONS 0
#endif
#endif
#ifndef COUNTS_ALLOCATIONS
#define COUNTS_ALLOCATIONS 1
#endif

#if COUNTS_ALLOCATIONS
namespace {
std::atomic<bool> counting = false;
std::atomic<int> allocations = 0;

void* counted(std::size_t bytes, std::size_t alignment) {
  if (counting) ++allocations;
  void* memory = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
}  // namespace

void* operator new(std::size_t bytes) { return counted(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return counted(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
#endif

namespace fixtune {
namespace {

constexpr Index tokens = 150, in = 72, out = 101, stride = 128;
using Floats = std::vector<float>;

Floats values(Index rows, std::uint64_t seed, float scale) {
  const RandomStream random({seed, 0, 0}, tensor_id("values"));
  Floats x(static_cast<std::size_t>(rows * stride));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = scale * (random.uniform(i) - 0.5F);
  return x;
}

/// A layer's memory, all of it with rows of `stride` floats.
struct Layer {
  Floats x = values(tokens, 1, 2.0F), w = values(out, 2, 0.2F), dy = values(tokens, 3, 1e-3F);
  Floats bias = values(1, 4, 1.0F);
  Floats y = values(tokens, 5, 0.0F), dx = y, dw = y, db = Floats(out);

  Layer() {
    for (Index r = 0; r < tokens; r += 7) x[static_cast<std::size_t>(r * stride + r % in)] = 20.0F + static_cast<float>(r);
  }

  void pass(const Recipe& recipe, Workspace* workspace) {
    LinearContext context;
    context.workspace = workspace;
    const QuantizedWeight weight = prepare_weight(map_of(w.data(), out, in, stride), recipe, context);
    LinearInput input = quantize_input(map_of(x.data(), tokens, in, stride), recipe, context);
    linear_forward(input, weight, bias.data(), map_of(y.data(), tokens, out, stride), context);
    input.forward_is_done();
    linear_backward_into({{dx.data(), stride, false}, {dw.data(), stride, false}, db.data()},
                         map_of(dy.data(), tokens, out, stride), weight, input, context);
  }
};

std::vector<Recipe> integer_recipes() {
  std::vector<Recipe> recipes;
  for (const std::string& name : preset_names())
    if (preset(name).arithmetic == Arithmetic::Integer) recipes.push_back(preset(name));
  recipes.push_back(preset("rowwise"));
  recipes.back().backward = BackwardCodes::Requantised;
  recipes.push_back(preset("int8"));
  recipes.back().bits_x = recipes.back().bits_w = recipes.back().bits_dx = recipes.back().bits_dw = 12;
  return recipes;
}

TEST(LinearWorkspace, OwnMemoryWithStridesGivesTheBitsOfNewTensors) {
  for (const Recipe& recipe : integer_recipes()) {
    Layer layer;
    Workspace workspace;
    layer.pass(recipe, &workspace);
    EXPECT_EQ(workspace.use().live, 0U);
    EXPECT_GT(workspace.use().peak_live, 0U);
    const QuantizedWeight weight = prepare_weight(map_of(layer.w.data(), out, in, stride), recipe);
    const Matrix x = map_of(layer.x.data(), tokens, in, stride);
    const LinearResult result = linear_forward(x, weight, layer.bias.data());
    const LinearGradients g = linear_backward(map_of(layer.dy.data(), tokens, out, stride), weight, result.saved);
    EXPECT_EQ(map_of(layer.y.data(), tokens, out, stride), result.y.map()) << recipe.name;
    EXPECT_EQ(map_of(layer.dx.data(), tokens, in, stride), g.dx.map()) << recipe.name;
    EXPECT_EQ(map_of(layer.dw.data(), out, in, stride), g.dw.map()) << recipe.name;
    for (Index n = 0; n < out; ++n) ASSERT_EQ(layer.db[static_cast<std::size_t>(n)], g.db(0, n)) << recipe.name;
    // What lies between the rows is not touched.
    for (Index r = 0; r < tokens; ++r)
      for (Index c = out; c < stride; ++c) ASSERT_EQ(layer.y[static_cast<std::size_t>(r * stride + c)], 0.0F);
  }
}

#if COUNTS_ALLOCATIONS
TEST(LinearWorkspace, NothingIsAllocatedOnceTheShapesWereSeen) {
  for (const int threads : {1, 2, 4})
    for (const Recipe& recipe : integer_recipes()) {
      const OnThreads use(threads);
      Layer layer;
      Workspace workspace;
      for (int warm_up = 0; warm_up < 2; ++warm_up) layer.pass(recipe, &workspace);
      allocations = 0;
      counting = true;
      layer.pass(recipe, &workspace);
      counting = false;
      EXPECT_EQ(allocations, 0) << recipe.name << ", " << threads << " threads";
    }
}
#endif

}  // namespace
}  // namespace fixtune
