// The figures of `inspect` on matrices worked out by hand, and the program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "ended_program.h"
#include "fixtune/io/file.h"
#include "fixtune/train/recipe_file.h"
#include "inspect/output.h"
#include "temporary_folder.h"

namespace fixtune {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Four tokens of three columns: two outliers above 5 in column 1, one in column 2; 5 itself is none.
Tensor with_outliers() {
  Tensor x = Tensor::zeros(4, 3);
  x(0, 0) = 5.0F;
  x(0, 1) = -8.0F;
  x(2, 1) = 40.0F;
  x(2, 2) = -5.5F;
  x(3, 0) = 0.75F;
  return x;
}

TEST(InspectFigures, CountOutliersAndTheirColumns) {
  const inspect::InputFigures f = inspect::input_figures("x", with_outliers().map(), preset("rowwise"), 0);
  EXPECT_EQ(f.tokens, 4);
  EXPECT_EQ(f.columns, 3);
  EXPECT_EQ(f.threshold, 5.0F);
  EXPECT_EQ(f.outliers, 3);
  EXPECT_DOUBLE_EQ(f.element_share(), 0.25);
  EXPECT_DOUBLE_EQ(f.column_share(), 2.0 / 3.0);
  EXPECT_EQ(f.largest, 40.0F);
  EXPECT_THAT(f.column_largest, ElementsAre(5.0F, 40.0F, 5.5F));
  ASSERT_EQ(f.outlier_columns.size(), 2U);
  EXPECT_EQ(f.outlier_columns[0].column, 1);
  EXPECT_EQ(f.outlier_columns[0].outliers, 2);
  EXPECT_EQ(f.outlier_columns[0].largest, 40.0F);
  EXPECT_EQ(f.outlier_columns[1].column, 2);
}

TEST(InspectFigures, ThresholdsFollowTheRule) {
  Recipe recipe = preset("rowwise");
  recipe.gamma = 1.5F;
  recipe.gamma_rule = GammaRule::RowRms;
  // Rows of rms sqrt(89/3), 0, sqrt(1630.25/3) and 0.433: above 1.5 times it are 40 and 0.75.
  const inspect::InputFigures rows = inspect::input_figures("x", with_outliers().map(), recipe, 0);
  EXPECT_EQ(rows.outliers, 2);
  EXPECT_EQ(rows.threshold, 0.0F);
  recipe.gamma_rule = GammaRule::TensorRms;
  const inspect::InputFigures tensor = inspect::input_figures("x", with_outliers().map(), recipe, 0);
  EXPECT_EQ(tensor.outliers, 1);
  EXPECT_NEAR(tensor.threshold, 1.5 * std::sqrt((25.0 + 64.0 + 1600.0 + 30.25 + 0.5625) / 12.0), 1e-5);
}

TEST(InspectFigures, HistogramsCountByPowersOfTwo) {
  inspect::Histogram h;
  for (const float value : {0.0F, 1.0F, 1.99F, 2.0F, 0.5F, 1e9F, 1e-9F}) h.add(value);
  const auto count = [&](int exponent) { return h.counts[exponent - inspect::Histogram::lowest]; };
  EXPECT_EQ(h.counts[0], 2);
  EXPECT_EQ(count(0), 2);
  EXPECT_EQ(count(1), 1);
  EXPECT_EQ(count(-1), 1);
  EXPECT_EQ(h.counts[inspect::Histogram::ranges - 1], 1);
}

// One row whose largest is 127 steps: the codes are exact. Half a step off: the error is half a step's.
TEST(InspectFigures, ErrorsAreThoseOfTheRounding) {
  Tensor x = Tensor::zeros(1, 2);
  x(0, 0) = 1.27F;
  x(0, 1) = 0.50F;
  EXPECT_LT(inspect::rounding_error("x", x.map(), preset("rowwise").format_x(), 0.0F, 0), 1e-6);
  x(0, 1) = 0.504F;
  EXPECT_NEAR(inspect::rounding_error("x", x.map(), preset("rowwise").format_x(), 0.0F, 0),
              0.004 / std::sqrt(1.27 * 1.27 + 0.504 * 0.504), 1e-5);
  EXPECT_EQ(inspect::product_error("x", x.map(), x.map(), preset("fp32"), 0), 0.0);
}

inspect::LayerFigures layer(const std::string& name, std::vector<double> errors) {
  inspect::LayerFigures l;
  l.name = name;
  for (std::size_t i = 0; i < errors.size(); ++i) l.others.push_back({inspect::candidates()[i].name, errors[i]});
  return l;
}

TEST(InspectProposal, TakesTheCheapestThatIsGoodEnough) {
  inspect::Inspection found;
  found.layers = {layer("encoder.layer.0.output.dense", {0.5, 0.4, 0.03, 0.001}),
                  layer("encoder.layer.0.attention.output.dense", {0.01, 0.01, 0.01, 0.001}),
                  layer("encoder.layer.0.intermediate.dense", {0.03, 0.01, 0.01, 0.001}),
                  layer("encoder.layer.1.output.dense", {0.5, 0.4, 0.03, 0.001}),
                  layer("encoder.layer.1.attention.output.dense", {0.05, 0.01, 0.01, 0.001}),
                  layer("encoder.layer.1.intermediate.dense", {0.03, 0.01, 0.01, 0.001})};
  const inspect::Proposal p = inspect::propose(found, 0.02);
  EXPECT_THAT(p.choices, ElementsAre("bf16", "rowwise", "rowwise, gamma 2", "bf16", "rowwise, gamma 2", "rowwise, gamma 2"));
  EXPECT_EQ(p.recipe_file.at("default").at("gamma"), 2.0);
  const Json& layers = p.recipe_file.at("layers");
  EXPECT_EQ(layers.size(), 2U);
  EXPECT_EQ(layers.at("encoder.layer.?.output.dense"), "bf16");
  EXPECT_EQ(layers.at("encoder.layer.0.attention.output.dense"), "rowwise");
  // The pattern must not take the attention's output with it.
  const RecipeMap recipes = parse_recipes(p.recipe_file, "proposal");
  EXPECT_EQ(recipes("encoder.layer.1.output.dense").arithmetic, Arithmetic::BF16);
  EXPECT_EQ(recipes("encoder.layer.1.attention.output.dense").arithmetic, Arithmetic::Integer);
}

TEST(InspectProgram, WritesTablePageFiguresAndARecipeThatFinetuneTakes) {
  const TemporaryFolder folder;
  const auto file = [&](const char* name) { return (folder.path() / name).string(); };
  const std::string data = folder.write("data.tsv", table()).string();
  const std::string common = "--model " + tiny_bert + " --task text --data " + data + " --max-length 16";
  const Ended ended = run("inspect", common + " --limit 6 --tolerance 0.01 --html " + file("page.html") + " --json " +
                                         file("figures.json") + " --proposal " + file("recipe.json"));
  ASSERT_EQ(ended.code, 0) << ended.output;
  EXPECT_THAT(ended.output, HasSubstr("| layer"));
  const Json figures = read_json(file("figures.json"));
  EXPECT_EQ(figures.at("layers").size(), 6 * figures.at("inputs").size() / 4);
  for (const Json& layer : figures.at("layers")) {
    for (const char* error : {"weight_error", "product_error", "token_gradient_error", "feature_gradient_error"}) {
      EXPECT_GT(layer.at(error).get<double>(), 1e-4) << layer.at("name") << error;
      EXPECT_LT(layer.at(error).get<double>(), 0.05) << layer.at("name") << error;
    }
    EXPECT_EQ(layer.at("product_error"), layer.at("product_errors").at("rowwise"));
  }
  const std::string page = read_file(file("page.html"));
  const std::string begin = "id=\"data\">";
  const std::size_t at = page.find(begin) + begin.size();
  const Json shown = Json::parse(page.substr(at, page.find("</script>", at) - at));
  EXPECT_EQ(shown, figures);
  EXPECT_EQ(read_json(file("recipe.json")), figures.at("proposal"));
  const Ended tuned =
      run("finetune", common + " --epochs 1 --recipe " + file("recipe.json") + " --out " + file("out"));
  EXPECT_EQ(tuned.code, 0) << tuned.output;
}

TEST(InspectProgram, NamesBadInputBeforeAnythingIsWritten) {
  const TemporaryFolder folder;
  const std::string data = folder.write("data.tsv", table()).string();
  const std::string misspelt = folder.write("misspelt.json", R"({"layers": {"encoder.leyer.*": "fp32"}})").string();
  const std::string out = (folder.path() / "figures.json").string();
  for (const auto& [more, named] : std::vector<std::pair<std::string, std::string>>{
           {"--recipe " + misspelt, "encoder.leyer.*"}, {"--recipe none", "none"}, {"--html /none/x.html", "--html"},
           {"--tolerance 0", "--tolerance"}, {"--proposal " + folder.path().string(), "--proposal"}}) {
    const Ended ended =
        run("inspect", "--model " + tiny_bert + " --data " + data + " --max-length 16 --json " + out + " " + more);
    EXPECT_EQ(ended.code, 2) << ended.output;
    EXPECT_THAT(ended.output, HasSubstr(named));
    EXPECT_FALSE(std::filesystem::exists(out));
  }
}

}  // namespace
}  // namespace fixtune
