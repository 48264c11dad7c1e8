#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ended_program.h"
#include "fixtune/io/file.h"
#include "fixtune/io/json.h"
#include "temporary_folder.h"

namespace fixtune {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string finetune_arguments(const TemporaryFolder& folder, const std::string& data, const std::string& out) {
  return "--model " + tiny_bert + " --task text --data " + data + " --epochs 2 --batch-size 4 --lr 1e-2 --max-length 16 --out " +
         (folder.path() / out).string();
}

TEST(Programs, FinetuneEvaluatePredictAndCompareWorkTogether) {
  const TemporaryFolder folder;
  const std::string data = folder.write("data.tsv", table()).string();
  const std::string figures = (folder.path() / "run.json").string();
  const Ended trained = run("finetune", finetune_arguments(folder, data, "out") + " --recipe approach1 --json " + figures);
  ASSERT_EQ(trained.code, 0) << trained.output;
  const Json json = read_json(figures);
  for (const char* field : {"task", "recipe", "seed", "epochs", "seconds", "tokens_per_second", "peak_memory_bytes",
                            "saved_activation_bytes", "outliers"})
    EXPECT_TRUE(json.contains(field)) << field;
  ASSERT_EQ(json["epochs"].size(), 2U);
  EXPECT_TRUE(json["epochs"][1]["metrics"].contains("accuracy"));

  const std::string saved = (folder.path() / "out").string();
  EXPECT_EQ(read_json(saved + "/fixtune.json")["recipe"]["default"]["name"], "approach1");
  const Ended evaluated = run("evaluate", "--model " + saved + " --data " + data);
  EXPECT_EQ(evaluated.code, 0) << evaluated.output;
  EXPECT_THAT(evaluated.output, HasSubstr("accuracy "));
  const Ended predicted = run("predict", "--model " + saved + " --data " + data);
  EXPECT_EQ(predicted.code, 0) << predicted.output;
  EXPECT_EQ(std::count(predicted.output.begin(), predicted.output.end(), '\n'), 24);
  EXPECT_THAT(predicted.output, ::testing::AnyOf(StartsWith("yes\t"), StartsWith("no\t")));
  const Ended compared = run("compare", figures);
  EXPECT_EQ(compared.code, 0);
  EXPECT_THAT(compared.output, HasSubstr("approach1"));
}

TEST(Programs, TheSameCommandGivesTheSameBytes) {
  const TemporaryFolder folder;
  const std::string data = folder.write("data.tsv", table()).string();
  for (const char* out : {"a", "b"}) ASSERT_EQ(run("finetune", finetune_arguments(folder, data, out)).code, 0);
  EXPECT_EQ(read_file(folder.path() / "a" / "model.safetensors"), read_file(folder.path() / "b" / "model.safetensors"));
}

TEST(Programs, RegressionAndJsonlAndRecipeFiles) {
  const TemporaryFolder folder;
  std::string rows;
  for (int i = 0; i < 20; ++i)
    rows += R"({"a": "w)" + std::to_string(i) + R"(", "b": "w1 w2", "score": )" + std::to_string(i % 5) + "}\n";
  const std::string data = folder.write("data.jsonl", rows).string();
  const std::string recipe =
      folder.write("recipe.json", R"({"default": "rowwise", "layers": {"encoder.layer.0.output.dense": "fp32"}})").string();
  const Ended ended = run("finetune", finetune_arguments(folder, data, "out") +
                                          " --regression --text-column a --pair-column b --label-column score --recipe " + recipe);
  ASSERT_EQ(ended.code, 0) << ended.output;
  EXPECT_THAT(ended.output, HasSubstr("pearson"));
  EXPECT_EQ(read_json(folder.path() / "out" / "config.json")["problem_type"], "regression");
  const Ended predicted = run("predict", "--model " + (folder.path() / "out").string() + " --data " + data);
  EXPECT_EQ(predicted.code, 0) << predicted.output;
}

TEST(Programs, TokenizeReadsLinesAndPairs) {
  const TemporaryFolder folder;
  const std::string input = folder.write("in", "w1 w2\nw3\tw4\n\n").string();
  const Ended ended = run("tokenize", "--model " + tiny_bert, input);
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.output, "2 6 7 3\n2 8 3 9 3\n2 3\n");
}

struct Refusal {
  const char* what;
  std::string program;
  std::string arguments;
  std::string named;  ///< what the message must name
};

TEST(Programs, BadInputIsNamedAndNothingIsWritten) {
  const TemporaryFolder folder;
  const std::string good = folder.write("good.tsv", table()).string();
  const std::string short_row = folder.write("short.tsv", "text\tlabel\nw1\tyes\nw2\n").string();
  const std::string no_column = folder.write("column.tsv", "sentence\tlabel\nw1\tyes\nw2\tno\n").string();
  const std::string latin1 = folder.write("latin1.tsv", "text\tlabel\nw1\tyes\ncaf\xe9\tno\n").string();
  const std::string misspelt = folder.write("misspelt.json", R"({"layers": {"encoder.leyer.*": "fp32"}})").string();
  const std::string broken = folder.write("broken.json", "{\n\"default\": \n").string();
  const std::vector<Refusal> refusals{
      {"missing model", "finetune", "--model /nonexistent --task text --data " + good + " --out ", "/nonexistent"},
      {"missing data", "finetune", "--model " + tiny_bert + " --task text --data /none.tsv --out ", "/none.tsv"},
      {"short row", "finetune", "--model " + tiny_bert + " --task text --data " + short_row + " --out ", "short.tsv:3"},
      {"no such column", "finetune", "--model " + tiny_bert + " --task text --data " + no_column + " --out ", "text"},
      {"bad byte", "finetune", "--model " + tiny_bert + " --task text --data " + latin1 + " --out ", "latin1.tsv:3"},
      {"unknown task", "finetune", "--model " + tiny_bert + " --task cora --data " + good + " --out ", "cora"},
      {"unknown recipe", "finetune", "--recipe int9 --model " + tiny_bert + " --task text --data " + good + " --out ", "int9"},
      {"misspelt pattern", "finetune", "--max-length 16 --recipe " + misspelt + " --model " + tiny_bert + " --task text --data " + good + " --out ", "encoder.leyer.*"},
      {"broken recipe", "finetune", "--recipe " + broken + " --model " + tiny_bert + " --task text --data " + good + " --out ", "broken.json"},
      {"label outside", "finetune", "--labels yes,maybe --model " + tiny_bert + " --task text --data " + good + " --out ", "good.tsv:3"},
      {"too long", "finetune", "--max-length 17 --model " + tiny_bert + " --task text --data " + good + " --out ", "16 positions"},
      {"bad number", "finetune", "--epochs x --model " + tiny_bert + " --task text --data " + good + " --out ", "--epochs"},
  };
  const std::string out = (folder.path() / "out").string();
  for (const Refusal& r : refusals) {
    const Ended ended = run(r.program, r.arguments + out);
    EXPECT_EQ(ended.code, 2) << r.what << ": " << ended.output;
    EXPECT_THAT(ended.output, HasSubstr(r.named)) << r.what;
    EXPECT_FALSE(std::filesystem::exists(out)) << r.what;
  }
  EXPECT_EQ(run("tokenize", "--model /nonexistent").code, 2);
  EXPECT_EQ(run("evaluate", "--model " + tiny_bert + " --data " + good).code, 2) << "128 tokens on 16 positions";
  EXPECT_EQ(run("compare", good).code, 2);
}

TEST(Programs, HelloLinearAndBertLayerPrintEveryRecipe) {
  for (const Ended& ended : {run("hello_linear", ""), run("bert_layer", "--model " + tiny_bert + " --layer 0")})
    for (const char* recipe : {"int8", "approach1", "approach2", "rowwise"}) {
      EXPECT_EQ(ended.code, 0) << ended.output;
      EXPECT_THAT(ended.output, HasSubstr(recipe));
    }
}

}  // namespace
}  // namespace fixtune
