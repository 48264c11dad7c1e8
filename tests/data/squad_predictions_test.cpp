#include "fixtune/data/squad_predictions.h"

#include <gmock/gmock.h>

#include "../temporary_folder.h"

namespace fixtune {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(SquadPredictions, AreReadAsWritten) {
  const TemporaryFolder folder;
  const SquadPredictions predictions{{"a", ""}, {"b", "caf\xC3\xA9 \"x\"\n"}, {"c", "\xF0\x9F\x98\x80"}};
  EXPECT_EQ(read_squad_predictions(folder.write("predictions.json", to_json(predictions).dump())), predictions);
}

TEST(SquadPredictions, FaultsAreNamed) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of([&] { read_squad_predictions(folder.write("p.json", "[]")); }), HasSubstr("p.json"));
  EXPECT_THAT(error_of([&] { read_squad_predictions(folder.write("p.json", R"({"x": "y", "q7": null})")); }),
              AllOf(HasSubstr("p.json"), HasSubstr("q7")));
}

}  // namespace
}  // namespace fixtune
