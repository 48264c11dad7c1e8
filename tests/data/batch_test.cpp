#include "fixtune/data/batch.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "fixtune/core/error.h"

namespace fixtune {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(BatchTest, SentencesLieEndToEnd) {
  const std::array<Encoding, 2> encodings{{{{2, 7, 3}, {0, 0, 0}}, {{2, 3, 8, 3}, {0, 0, 1, 1}}}};
  const std::array<float, 2> labels{1, 0};
  const std::array<Index, 2> indices{9, 4};
  const PackedBatch batch = pack(encodings, labels, indices);
  EXPECT_THAT(batch.ids, ElementsAre(2, 7, 3, 2, 3, 8, 3));
  EXPECT_THAT(batch.segments, ElementsAre(0, 0, 0, 0, 0, 1, 1));
  EXPECT_THAT(batch.positions, ElementsAre(0, 1, 2, 0, 1, 2, 3));
  EXPECT_THAT(batch.offsets, ElementsAre(0, 3, 7));
  EXPECT_THAT(batch.labels, ElementsAre(1, 0));
  EXPECT_THAT(batch.example_index, ElementsAre(9, 4));
  EXPECT_EQ(batch.tokens(), 7);
  EXPECT_EQ(batch.sentences(), 2);
}

TEST(BatchTest, NothingPacksToNothing) {
  const PackedBatch batch = pack({}, {}, {});
  EXPECT_THAT(batch.offsets, ElementsAre(0));
  EXPECT_EQ(batch.sentences(), 0);
}

TEST(BatchTest, LabelsOrIndicesOfAnotherNumberAreRefused) {
  const std::array<Encoding, 1> encodings{{{{2, 3}, {0, 0}}}};
  const std::array<float, 1> labels{0};
  EXPECT_THROW(pack(encodings, {}, {}), Error);
  EXPECT_THROW(pack(encodings, labels, {}), Error);
}

TEST(BatchTest, OrderIsAPermutationThatFollowsSeedAndEpoch) {
  std::vector<Index> order = shuffled_order(1000, 3, 1);
  EXPECT_EQ(order, shuffled_order(1000, 3, 1));
  EXPECT_NE(order, shuffled_order(1000, 3, 2));
  EXPECT_NE(order, shuffled_order(1000, 4, 1));
  std::sort(order.begin(), order.end());
  std::vector<Index> all(1000);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(order, all);
  EXPECT_THAT(shuffled_order(0, 1, 1), IsEmpty());
  EXPECT_THAT(shuffled_order(1, 1, 1), ElementsAre(0));
}

TEST(BatchTest, EveryPermutationIsAsLikely) {
  std::array<int, 6> seen{};
  constexpr int draws = 60000;
  for (int seed = 0; seed < draws; ++seed) {
    const std::vector<Index> order = shuffled_order(3, static_cast<std::uint64_t>(seed), 0);
    ++seen[static_cast<std::size_t>(2 * order[0] + (order[1] > order[2] ? 1 : 0))];
  }
  // Five standard deviations of a binomial count.
  for (const int count : seen) EXPECT_NEAR(count, draws / 6, 460);
}

}  // namespace
}  // namespace fixtune
