#pragma once

#include <utility>

#include "fixtune/core/aligned_buffer.h"

namespace fixtune::detail {

/// What a thread of a packed product needs beside operands and output.
struct ProductRoom {
  std::int32_t* sums = nullptr;      ///< of a block, where its contraction runs in parts
  std::uint8_t* prepared = nullptr;  ///< for the kernel
  std::int8_t* codes = nullptr;      ///< of a block's rows, where they wait to be transposed
  std::int32_t* row_sums = nullptr;  ///< of a block's rows, where they wait
  std::uint8_t* panel = nullptr;     ///< where a right operand is packed panel by panel
};

/// Bytes of each of them.
struct ProductRoomBytes {
  Index sums = 0, prepared = 0, codes = 0, row_sums = 0, panel = 0;
};

/// Room for every thread, in one piece.
class ProductRooms {
 public:
  ProductRooms(const ProductRoomBytes& each, Index threads)
      : each_{in_lines(each.sums), in_lines(each.prepared), in_lines(each.codes), in_lines(each.row_sums),
              in_lines(each.panel)},
        all_(each_.sums + each_.prepared + each_.codes + each_.row_sums + each_.panel),
        memory_(threads * all_) {}

  ProductRoom of(Index thread) {
    std::uint8_t* at = memory_.data() + thread * all_;
    const auto take = [&](Index bytes) { return std::exchange(at, at + bytes); };
    ProductRoom room;
    room.sums = reinterpret_cast<std::int32_t*>(take(each_.sums));
    room.prepared = take(each_.prepared);
    room.codes = reinterpret_cast<std::int8_t*>(take(each_.codes));
    room.row_sums = reinterpret_cast<std::int32_t*>(take(each_.row_sums));
    room.panel = take(each_.panel);
    return room;
  }

 private:
  static Index in_lines(Index bytes) { return (bytes + 63) / 64 * 64; }

  ProductRoomBytes each_;
  Index all_;  ///< of one thread
  AlignedBuffer<std::uint8_t> memory_;
};

}  // namespace fixtune::detail
