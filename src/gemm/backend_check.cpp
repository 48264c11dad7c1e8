#include "backend_check.h"

#include <exception>
#include <vector>

namespace fixtune::detail {
namespace {

struct Shape {
  Index m, n, k;
};
// Odd everywhere, so that tails run; one row and one column, which libraries treat as vectors; sums past
// 2^24.
constexpr Shape shapes[] = {{37, 35, 1537}, {1, 19, 6656}, {21, 1, 6655}, {5, 18, 6656}};

/// Operand patterns by index along the contraction.
struct Pattern {
  const char* what;
  int (*a)(Index k);
  int (*b)(Index k);
};
constexpr Pattern patterns[] = {
    {"127 x 127", [](Index) { return 127; }, [](Index) { return 127; }},
    {"-127 x 127", [](Index) { return -127; }, [](Index) { return 127; }},
    {"127 x -127", [](Index) { return 127; }, [](Index) { return -127; }},
    {"-127 x -127", [](Index) { return -127; }, [](Index) { return -127; }},
    // Each pair sum is at its limit and the total is near 0.
    {"signs that change by pairs", [](Index k) { return k / 2 % 2 == 0 ? 127 : -127; },
     [](Index) { return 127; }},
    // -42596350 at a contraction of 6656; FP32 would give -42596352.
    {"50 x -128 with one -87", [](Index) { return 50; }, [](Index k) { return k == 0 ? -87 : -128; }},
    {"mixed codes", [](Index k) { return static_cast<int>(k * 37 % 255) - 127; },
     [](Index k) { return static_cast<int>(k * 91 % 255) - 127; }},
};

/// An operand whose lines along the contraction all hold the pattern.
std::vector<std::int8_t> operand(int (*value)(Index), Index lines, Index k, bool contraction_contiguous) {
  std::vector<std::int8_t> codes(static_cast<std::size_t>(lines * k));
  for (Index line = 0; line < lines; ++line)
    for (Index i = 0; i < k; ++i)
      codes[static_cast<std::size_t>(contraction_contiguous ? line * k + i : i * lines + line)] =
          static_cast<std::int8_t>(value(i));
  return codes;
}

Int8View view(const std::vector<std::int8_t>& codes, Index rows, Index cols) {
  return {codes.data(), rows, cols, cols};
}

std::string check_one(const std::function<void(const IntegerProduct&)>& candidate, const Shape& shape,
                      const Pattern& pattern, Transpose transpose_a, Transpose transpose_b) {
  const bool a_stored_mk = transpose_a == Transpose::No;
  const bool b_stored_nk = transpose_b == Transpose::Yes;
  const auto a = operand(pattern.a, shape.m, shape.k, a_stored_mk);
  const auto b = operand(pattern.b, shape.n, shape.k, b_stored_nk);
  std::vector<std::int32_t> expected(static_cast<std::size_t>(shape.m * shape.n));
  std::vector<std::int32_t> found(expected.size());
  IntegerProduct product{a_stored_mk ? view(a, shape.m, shape.k) : view(a, shape.k, shape.m),
                         b_stored_nk ? view(b, shape.n, shape.k) : view(b, shape.k, shape.n),
                         transpose_a,
                         transpose_b,
                         expected.data(),
                         shape.n,
                         shape.m,
                         shape.n,
                         shape.k};
  reference_product(product);
  product.c = found.data();
  candidate(product);
  for (std::size_t i = 0; i < found.size(); ++i)
    if (found[i] != expected[i])
      return fmt::format("wrong integer: {}, shape [{}, {}, {}]{}{}: {} instead of {}", pattern.what, shape.m,
                         shape.n, shape.k, a_stored_mk ? "" : ", A transposed",
                         b_stored_nk ? ", B transposed" : "", found[i], expected[i]);
  return {};
}

}  // namespace

std::string check_backend(const std::function<void(const IntegerProduct&)>& candidate) {
  try {
    for (const Shape& shape : shapes)
      for (const Pattern& pattern : patterns)
        for (const Transpose transpose_a : {Transpose::No, Transpose::Yes})
          for (const Transpose transpose_b : {Transpose::No, Transpose::Yes})
            if (auto reason = check_one(candidate, shape, pattern, transpose_a, transpose_b); !reason.empty())
              return reason;
  } catch (const std::exception& error) {
    return error.what();
  }
  return {};
}

}  // namespace fixtune::detail
