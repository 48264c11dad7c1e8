#pragma once

#include <cstddef>
#include <span>

#include "fixtune/gemm/packed_product.h"

namespace fixtune::detail {

/// Work that waits for memory, done in pieces between the panels of a product, which does not: while a panel is
/// multiplied, the memory of the pieces that come after it is asked for.
class ProductCompanion {
 public:
  ProductCompanion() = default;
  ProductCompanion(const ProductCompanion&) = default;
  ProductCompanion& operator=(const ProductCompanion&) = default;
  virtual ~ProductCompanion() = default;

  /// How many pieces there are; who does which, and when, changes no bit.
  virtual Index pieces() const = 0;
  /// What pieces [first, last) read; empty where asking is not worth it.
  virtual std::span<const std::byte> memory(Index first, Index last) const = 0;
  /// Does pieces [first, last), whose memory was asked for. Several threads do different ones at a time.
  virtual void run(Index first, Index last) = 0;
  /// Does all of them with no product beside, on all threads.
  virtual void run_all() = 0;
};

}  // namespace fixtune::detail

namespace fixtune {

/// `Y_i = epilogue_i((A + unit D) B_i)`, and the companion's work meanwhile.
void packed_product(const PackedRows& a, const DigitRows& digits, std::span<const ProductPart> parts,
                    detail::ProductCompanion& companion);
/// The same of one operand, without digits.
void packed_product(const PackedRows& a, const PackedColumns& b, const ProductOutput& output,
                    detail::ProductCompanion& companion);

}  // namespace fixtune
