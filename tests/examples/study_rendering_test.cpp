#include "study/rendering.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtune/io/file.h"
#include "fixtune/train/recipe_file.h"
#include "program/sample.h"
#include "report/xml_check.h"
#include "study/results.h"
#include "study/scores.h"
#include "temporary_folder.h"

namespace fixtune::study {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// Holds a mean and its spread (null: none) against numpy's and scipy's.
void expect_equal(const std::optional<Estimate>& ours, const Json& mean, const Json& spread, const std::string& what) {
  ASSERT_TRUE(ours) << what;
  EXPECT_NEAR(ours->mean, mean.get<double>(), 1e-9) << what;
  ASSERT_EQ(ours->spread.has_value(), spread.is_number()) << what;
  if (ours->spread) {
    EXPECT_NEAR(*ours->spread, spread.get<double>(), 1e-9) << what;
  }
}

TEST(StudyScores, AgreeWithNumpyAndScipy) {
  const Json fixture = read_json(std::string(FIXTUNE_FIXTURES) + "/study_scores.json");
  Scores scores;
  for (const Json& run : fixture["runs"]) {
    std::vector<std::optional<double>> metrics;
    for (const Json& value : run["metrics"]) metrics.emplace_back(value.get<double>());
    scores.add(run["task"], run["recipe"], run["seed"], metrics);
  }
  EXPECT_EQ(scores.runs(), fixture["runs"].size());
  for (const Json& expected : fixture["expected"]) {
    const std::string task = expected["task"], recipe = expected["recipe"], what = task + " " + recipe;
    for (std::size_t m = 0; m < expected["metrics"].size(); ++m)
      expect_equal(scores.metric(task, recipe, m), expected["metrics"][m]["mean"], expected["metrics"][m]["deviation"], what);
    expect_equal(scores.score(task, recipe), expected["score"]["mean"], expected["score"]["deviation"], what);
    expect_equal(scores.loss(task, recipe), expected["loss"]["mean"], expected["loss"]["error"], what);
  }
  for (const Json& expected : fixture["mean_losses"])
    expect_equal(scores.mean_loss({"rte", "mrpc", "stsb"}, expected["recipe"]), expected["mean"], expected["error"],
                 expected["recipe"]);
}

TEST(StudyScores, LossIsPairedAndUndefinedMetricsAreLeftOut) {
  Scores scores;
  scores.add("rte", "fp32", 0, {60.0});
  scores.add("rte", "fp32", 1, {70.0});
  scores.add("rte", "int8", 1, {69.0});
  scores.add("rte", "int8", 5, {10.0});
  scores.add("stsb", "int8", 0, {50.0, std::nullopt});
  EXPECT_DOUBLE_EQ(scores.loss("rte", "int8")->mean, 1.0) << "only seed 1 has both";
  EXPECT_EQ(scores.loss("rte", "int8")->count, 1U);
  EXPECT_FALSE(scores.loss("rte", "rowwise"));
  EXPECT_FALSE(scores.score("stsb", "int8"));
  EXPECT_THAT(scores.undefined(), ::testing::ElementsAre("STS-B int8 seed 0"));
  EXPECT_THAT(error_of([] { scoring_of("wnli"); }), HasSubstr("wnli"));
}

/// A study of two tasks whose results are as given here.
class Rendered : public testing::Test {
 protected:
  Rendered() {
    folder_.write("mine.json", R"({
      "tasks": {"rte": {"data": "d", "options": {"epochs": 5}},
                "mrpc": {"data": "d", "options": {"sample": 100}, "note": "of 200"}},
      "groups": [{"models": ["m"], "tasks": ["rte", "mrpc"], "recipes": ["rowwise", "fp32", "int8"], "seeds": [0, 1]}]})");
    folder_.write("paper.json", R"({"source": "Somebody", "rows": {
      "fp32": {"name": "FP32", "rte": [61.7], "mrpc": [78.7, 85.3]},
      "int8": {"name": "untreated", "rte": [58.6], "mrpc": [69.9, 81.9]}}})");
    folder_.write("page.md", "# By hand\n\n<!-- mine -->\nold\n<!-- end mine -->\n\nAlso by hand\n");
    std::filesystem::create_directories(folder_.path() / "results");
    plan_ = read_plan(folder_.path() / "mine.json");
  }

  void add(const std::string& name, const Json& metrics) const {
    for (const StudyRun& run : plan_.runs)
      if (run.name() == name) {
        const auto figures = folder_.write("figures.json", Json{{"threads", 1}, {"kernel", "avx2"}, {"training_examples", 100},
                                                                {"recipe", "/elsewhere/recipe.json"}, {"epochs", Json::array({{{"metrics", metrics}}})}}.dump());
        keep_result(plan_, run, figures, folder_.path() / "results");
      }
  }

  std::string page() const {
    render(plan_, {folder_.path() / "results", folder_.path() / "paper.json", folder_.path() / "page.md"});
    return read_file(folder_.path() / "page.md");
  }

  const TemporaryFolder folder_;
  StudyPlan plan_;
};

TEST_F(Rendered, TablesAndPlotsOfWhatIsThere) {
  add("rte-fp32-0-m", {{"accuracy", 0.70}});
  add("rte-fp32-1-m", {{"accuracy", 0.68}});
  add("rte-rowwise-0-m", {{"accuracy", 0.688}});
  add("rte-rowwise-1-m", {{"accuracy", 0.68}});
  add("rte-int8-0-m", {{"accuracy", 0.60}});
  add("mrpc-fp32-0-m", {{"accuracy", 0.80}, {"f1", 0.86}});
  add("mrpc-rowwise-0-m", {{"accuracy", 0.78}, {"f1", 0.852}});
  const std::string text = page();
  for (const char* line :
       {"### m: 7 of 12 runs done",
        // 70 and 68: mean 69, deviation sqrt(2) = 1.41.
        "| recipe           |            RTE | MRPC (sample of 100) |", "| fp32             | 69.0 ± 1.4 (2) |      80.0 / 86.0 (1) |",
        "| paper: FP32      |           61.7 |          78.7 / 85.3 |", "| int8             |       60.0 (1) |                    - |",
        // Losses 1.2 and 0: mean 0.6, variance 0.72, error 0.6. MRPC 83 - 81.6 = 1.4, of one seed, with that variance: the
        // error of their mean 1.0 is sqrt(0.36 + 0.72) / 2.
        "| rowwise            | 0.6 ± 0.6 (2) |              1.4 (1) |                     1.0 ± 0.5 (2) |",
        "| rowwise within 0.5 |           yes |                   no |                               yes |",
        "| int8               |      10.0 (1) |                    - |                          10.0 (1) |",
        "| paper: untreated   |           3.1 |                  6.1 |                           4.6 (2) |",
        "- MRPC: 100 training and null evaluation examples; sample 100; of 200.", "1 threads, INT8 kernel avx2",
        "![m: loss against FP32](page/mine-m-losses.svg)", "The paper's numbers: Somebody."})
    EXPECT_THAT(text, HasSubstr(line));
  EXPECT_THAT(text, ::testing::StartsWith("# By hand\n\n<!-- mine -->\n"));
  EXPECT_THAT(text, ::testing::EndsWith("<!-- end mine -->\n\nAlso by hand\n"));
  EXPECT_THAT(text, Not(HasSubstr("old")));
  for (const char* plot : {"page/mine-m-scores.svg", "page/mine-m-losses.svg"})
    EXPECT_EQ(xml_fault(read_file(folder_.path() / plot)), "") << plot;
  EXPECT_EQ(page(), text) << "rendered again";
}

TEST_F(Rendered, AKeptResultNamesItsRecipeNotTheFileItWasReadFrom) {
  add("rte-int8-0-m", {{"accuracy", 0.60}});
  EXPECT_EQ(read_json(folder_.path() / "results" / "rte-int8-0-m.json").at("figures").at("recipe"), "int8");
}

TEST_F(Rendered, ARecipeThatMeantOtherNumbersIsRefused) {
  add("rte-int8-0-m", {{"accuracy", 0.60}});
  const std::filesystem::path file = folder_.path() / "results" / "rte-int8-0-m.json";
  Json result = read_json(file);
  result["figures"]["numerics"] = to_json(RecipeMap{preset("int8"), {}});
  write_file_atomically(file, result.dump());
  EXPECT_THAT(page(), HasSubstr("1 of 12 runs done"));
  result["figures"]["numerics"]["default"]["rounding"] = "nearest";
  write_file_atomically(file, result.dump());
  EXPECT_THAT(error_of([&] { page(); }), ::testing::AllOf(HasSubstr("rte-int8-0-m.json"), HasSubstr("recipe int8 meant other")));
}

TEST_F(Rendered, NothingRunIsShownAsSuch) {
  const std::string text = page();
  EXPECT_THAT(text, HasSubstr("0 of 12 runs done"));
  EXPECT_THAT(text, HasSubstr("| rowwise          |    - |                    - |"));
  EXPECT_THAT(text, Not(HasSubstr(".svg")));
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "page"));
}

TEST_F(Rendered, NothingPublishedLeavesItsRowsOut) {
  add("rte-fp32-0-m", {{"accuracy", 0.70}});
  render(plan_, {folder_.path() / "results", {}, folder_.path() / "page.md"});
  const std::string text = read_file(folder_.path() / "page.md");
  EXPECT_THAT(text, HasSubstr("1 of 12 runs done"));
  EXPECT_THAT(text, Not(HasSubstr("paper")));
}

TEST_F(Rendered, KeepsThePageWhereSomethingDoesNotFit) {
  add("rte-fp32-0-m", {{"f1", 0.70}});
  const std::string before = read_file(folder_.path() / "page.md");
  EXPECT_THAT(error_of([&] { page(); }), HasSubstr("rte-fp32-0-m.json: there is no metric accuracy"));
  EXPECT_EQ(read_file(folder_.path() / "page.md"), before);
  folder_.write("page.md", "no block");
  EXPECT_THAT(error_of([&] { page(); }), HasSubstr("page.md: the line <!-- mine --> is missing"));
  folder_.write("paper.json", R"({"rows": {}})");
  EXPECT_THAT(error_of([&] { page(); }), HasSubstr("paper.json"));
}

TEST(Sample, IsTheSameInEveryRunWithoutRepeats) {
  const std::vector<Index> rows = program::sample_rows(1000, 100);
  EXPECT_EQ(rows, program::sample_rows(1000, 100));
  EXPECT_EQ(rows.size(), 100U);
  EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end()));
  EXPECT_EQ(std::adjacent_find(rows.begin(), rows.end()), rows.end());
  EXPECT_LT(rows.back(), 1000);
  // Spread over the file: the mean row of 100 out of 1000 lies within five standard errors (27) of the middle.
  double sum = 0;
  for (const Index row : rows) sum += static_cast<double>(row);
  EXPECT_NEAR(sum / 100, 499.5, 137);

  std::vector<int> list{5, 6, 7};
  program::keep_sample(list, 0);
  program::keep_sample(list, 3);
  EXPECT_EQ(list, (std::vector<int>{5, 6, 7}));
  program::keep_sample(list, 2);
  EXPECT_EQ(list.size(), 2U);
  EXPECT_LT(list[0], list[1]);
}

}  // namespace
}  // namespace fixtune::study
