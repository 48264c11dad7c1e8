// The programs that measure without training: theory and ablate.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "ended_program.h"
#include "fixtune/io/file.h"
#include "fixtune/io/json.h"
#include "temporary_folder.h"

namespace fixtune {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string arguments(const std::string& data) {
  return "--model " + tiny_bert + " --task text --data " + data + " --limit 6 --max-length 16";
}

TEST(Measuring, AblateSetsEveryRecipeAgainstFp32) {
  const TemporaryFolder folder;
  const std::string data = folder.write("data.tsv", table()).string();
  const std::string list = folder.write("list.json", R"([
    {"group": "floats", "name": "fp32", "recipe": "fp32"},
    {"group": "integers", "name": "rowwise", "recipe": "rowwise"},
    {"group": "integers", "name": "all of 4 bits", "recipe": {"default": {"bits": 4}}},
    {"group": "integers", "name": "stochastic", "recipe": {"default": {"rounding": "stochastic"}}}])").string();
  const std::string json = (folder.path() / "figures.json").string();
  const std::string page = (folder.path() / "tables.md").string();
  const std::string plot = (folder.path() / "plot.svg").string();
  const Ended ended = run("ablate", arguments(data) + " --recipes " + list + " --draws 3 --json " + json + " --markdown " +
                                        page + " --svg " + plot);
  ASSERT_EQ(ended.code, 0) << ended.output;
  const Json figures = read_json(json);
  EXPECT_EQ(figures.at("examples"), 6);
  const Json& recipes = figures.at("recipes");
  ASSERT_EQ(recipes.size(), 4U);
  const auto error = [&](std::size_t i, const char* field) { return recipes[i].at(field).get<double>(); };
  EXPECT_EQ(error(0, "hidden_error"), 0.0);
  EXPECT_EQ(error(0, "gradient_error"), 0.0);
  for (const char* field : {"hidden_error", "gradient_error"}) {
    EXPECT_GT(error(1, field), 0.0);
    EXPECT_GT(error(2, field), 4.0 * error(1, field));
  }
  EXPECT_EQ(recipes[0].at("draws"), 1);
  EXPECT_EQ(recipes[1].at("draws"), 3);  // dithers dY
  EXPECT_EQ(recipes[3].at("draws"), 3);
  EXPECT_LT(error(3, "mean_gradient_error"), error(3, "gradient_error"));
  EXPECT_THAT(read_file(page), ::testing::AllOf(HasSubstr("| floats"), HasSubstr("| integers"), HasSubstr("all of 4 bits")));
  EXPECT_THAT(read_file(plot), HasSubstr("<svg"));
}

TEST(Measuring, AblateTakesQuestions) {
  const TemporaryFolder folder;
  const std::string list = folder.write("list.json", R"([
    {"name": "fp32", "recipe": "fp32"}, {"name": "rowwise", "recipe": "rowwise"}])").string();
  const std::string json = (folder.path() / "figures.json").string();
  const std::string data = folder.write("squad.json", questions(24, /*answered=*/true)).string();
  const std::string task = "--model " + tiny_bert + " --task squad --data " + data + " --max-length 16";
  const Ended ended = run("ablate", task + " --sample 2 --recipes " + list + " --json " + json);
  ASSERT_EQ(ended.code, 0) << ended.output;
  const Json figures = read_json(json);
  EXPECT_EQ(figures.at("task"), "squad");
  EXPECT_GE(figures.at("examples"), 2);  // windows
  EXPECT_EQ(figures.at("recipes")[0].at("gradient_error"), 0.0);
  EXPECT_GT(figures.at("recipes")[1].at("gradient_error"), 0.0);
  // The loss of start and end of an untrained head: near the logarithm of a window's length.
  EXPECT_NEAR(figures.at("recipes")[0].at("loss").get<double>(), std::log(16.0), 1.0);
}

TEST(Measuring, AblateGoesOnFromItsFigures) {
  const TemporaryFolder folder;
  const std::string data = folder.write("data.tsv", table()).string();
  const std::string json = (folder.path() / "figures.json").string();
  const auto list = [&](const char* content) { return folder.write("list.json", content).string(); };
  const std::string one = list(R"([{"name": "rowwise", "recipe": "rowwise"}])");
  ASSERT_EQ(run("ablate", arguments(data) + " --json " + json + " --recipes " + one).code, 0);
  // What is known is taken from the file: a figure no run would give stays.
  Json figures = read_json(json);
  figures["recipes"][0]["hidden_error"] = 77.0;
  write_file_atomically(json, figures.dump());
  const std::string two = list(R"([{"name": "4 bits", "recipe": {"default": {"bits": 4}}},
                                   {"name": "renamed", "recipe": "rowwise"}])");
  const Ended ended = run("ablate", arguments(data) + " --json " + json + " --recipes " + two);
  ASSERT_EQ(ended.code, 0) << ended.output;
  figures = read_json(json);
  ASSERT_EQ(figures["recipes"].size(), 2U);
  EXPECT_EQ(figures["recipes"][1]["name"], "renamed");
  EXPECT_EQ(figures["recipes"][1]["hidden_error"], 77.0);
  EXPECT_LT(figures["recipes"][0]["hidden_error"], 5.0);
  // Figures of another text are not overwritten.
  const Ended other = run("ablate", arguments(data) + " --seed 3 --json " + json + " --recipes " + two);
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.output, HasSubstr("seed"));
  EXPECT_EQ(read_json(json), figures);
}

TEST(Measuring, TheoryMeasuresEveryInput) {
  const TemporaryFolder folder;
  const std::string data = folder.write("data.tsv", table()).string();
  const std::string json = (folder.path() / "figures.json").string();
  const std::string plot = (folder.path() / "plot.svg").string();
  const std::string page = folder.write("page.md", "before\n<!-- here -->\nold\n<!-- end here -->\nafter\n").string();
  const Ended paged = run("theory", arguments(data) + " --page " + page + " --block here");
  ASSERT_EQ(paged.code, 0) << paged.output;
  EXPECT_THAT(read_file(page), ::testing::AllOf(StartsWith("before\n"), HasSubstr("| recipe"), EndsWith("after\n"),
                                                Not(HasSubstr("old"))));
  const Ended ended = run("theory", arguments(data) + " --gamma 1.5 --json " + json + " --svg " + plot);
  ASSERT_EQ(ended.code, 0) << ended.output;
  EXPECT_THAT(ended.output, HasSubstr("| recipe"));
  EXPECT_THAT(read_file(plot), HasSubstr("<svg"));
  const Json figures = read_json(json);
  EXPECT_EQ(figures.at("inputs").size() % 4, 0U);
  for (const Json& input : figures.at("inputs")) {
    const Json& mixture = input.at("mixture");
    EXPECT_LE(mixture.at("variance_within").get<double>(), mixture.at("variance").get<double>() * (1.0 + 1e-12));
    for (const char* recipe : {"int8", "approach1", "approach2", "rowwise"}) {
      const Json& whole = input.at("recipes").at(recipe).at("whole");
      const auto kept = whole.at("uncorrelated_sensitivity").get<double>();
      EXPECT_GT(kept, 0.9) << recipe;
      EXPECT_LT(kept, 1.0) << recipe;
      EXPECT_NEAR(whole.at("leverage").get<double>(), 1.0, 0.5) << recipe;
    }
  }
}

TEST(Measuring, BadInputIsNamedBeforeAnythingIsWritten) {
  const TemporaryFolder folder;
  const std::string data = folder.write("data.tsv", table()).string();
  const std::string floats = folder.write("floats.json", R"([{"name": "plain", "recipe": "fp32"}])").string();
  const std::string misspelt =
      folder.write("misspelt.json", R"([{"name": "a", "recipe": {"layers": {"encoder.leyer.*": "fp32"}}}])").string();
  const std::string out = (folder.path() / "figures.json").string();
  for (const auto& [program, more, named] : std::vector<std::array<std::string, 3>>{
           {"ablate", " --recipes /none.json", "/none.json"},
           {"ablate", " --recipes " + data, "data.tsv"},
           {"ablate", " --recipes " + misspelt, "encoder.leyer.*"},
           {"ablate", "", "--recipes"},
           {"theory", " --recipes " + floats, "plain"},
           {"theory", " --svg " + folder.path().string(), "--svg"},
           {"theory", " --page " + data + " --block here", "here"},
           {"theory", " --markdown /none/here.md", "--markdown"}}) {
    const Ended ended = run(program, arguments(data) + more + " --json " + out);
    EXPECT_EQ(ended.code, 2) << ended.output;
    EXPECT_THAT(ended.output, HasSubstr(named));
    EXPECT_FALSE(std::filesystem::exists(out));
  }
}

}  // namespace
}  // namespace fixtune
