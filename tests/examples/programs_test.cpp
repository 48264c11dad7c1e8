#include <fmt/format.h>
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
                            "saved_activation_bytes", "outliers", "numerics"})
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

std::string question_arguments(const std::string& task, const std::string& data, const std::string& out,
                               const std::string& windows = "--max-length 12 --doc-stride 2") {
  return "--model " + tiny_bert + " --task " + task + " --data " + data + " --eval-data " + data +
         " --epochs 3 --batch-size 4 --lr 1e-2 " + windows + " --out " + out;
}

TEST(Programs, QuestionsAreTrainedAnsweredAndScored) {
  const TemporaryFolder folder;
  for (const std::string task : {"squad", "squad2"}) {
    const std::string data = folder.write(task + ".json", questions(24, task == "squad")).string();
    const std::string out = (folder.path() / task).string();
    const std::string figures = (folder.path() / (task + "-run.json")).string();
    const Ended trained = run("finetune", question_arguments(task, data, out) + " --eval-limit 9 --json " + figures);
    ASSERT_EQ(trained.code, 0) << trained.output;
    const Json metrics = read_json(figures)["epochs"][2]["metrics"];
    EXPECT_TRUE(metrics.contains("exact_match") && metrics.contains("f1")) << metrics;
    EXPECT_EQ(metrics.contains("NoAns_f1"), task == "squad2");
    EXPECT_EQ(read_json(out + "/config.json")["architectures"][0], "BertForQuestionAnswering");
    EXPECT_EQ(read_json(out + "/predictions.json").size(), 9U);

    const std::string predicted = (folder.path() / "predictions.json").string();
    const std::string scores = (folder.path() / "scores.json").string();
    ASSERT_EQ(run("predict", "--model " + out + " --data " + data + " --n-best " + scores + " > " + predicted).code, 0);
    EXPECT_EQ(read_json(scores).size(), 24U);
    const Ended scored = run("evaluate", "--task " + task + " --data " + data + " --predictions " + predicted + " --json " + scores);
    ASSERT_EQ(scored.code, 0) << scored.output;
    const Ended evaluated = run("evaluate", "--model " + out + " --data " + data);
    EXPECT_THAT(evaluated.output, HasSubstr(scored.output)) << "the model's own answers, scored from a file or at once";
    EXPECT_EQ(read_json(scores).contains("HasAns_exact"), task == "squad2");
  }
}

TEST(Programs, QuestionsHaveDefaultsOfTheirOwn) {
  const TemporaryFolder folder;
  const std::string data = folder.write("squad.json", questions(13, true)).string();
  const Ended ended = run("finetune", "--model " + tiny_bert + " --task squad --data " + data + " --eval-data " + data + " --out " + (folder.path() / "out").string());
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.output, HasSubstr("--max-length 384"));
  const Ended trained = run("finetune", "--max-length 16 --doc-stride 0 --model " + tiny_bert + " --task squad --data " + data + " --eval-data " + data + " --out " + (folder.path() / "out").string());
  EXPECT_EQ(trained.code, 0);
  EXPECT_THAT(trained.output, HasSubstr("4/4")) << "two epochs of two batches of at most 12";
  EXPECT_THAT(trained.output, HasSubstr("epoch 2:"));
}

TEST(Programs, TokenizeShowsWindows) {
  const TemporaryFolder folder;
  const std::string data = folder.write("squad.json", questions(1, true)).string();
  const Ended ended = run("tokenize", "--max-length 8 --doc-stride 1 --model " + tiny_bert + " --squad " + data);
  EXPECT_EQ(ended.code, 0) << ended.output;
  EXPECT_EQ(ended.output, R"({"id":"q0","ids":[2,6,7,3,15,17,8,3],"spans":[[0,3],[4,7],[8,10]],"answer_tokens":[6,6],"answer":"w3"})"
                          "\n"
                          R"({"id":"q0","ids":[2,6,7,3,8,19,20,3],"spans":[[8,10],[11,14],[15,18]],"answer_tokens":[4,4],"answer":"w3"})"
                          "\n");
}

TEST(Programs, BadQuestionsAreNamed) {
  const TemporaryFolder folder;
  const std::string good = folder.write("good.json", questions(6, true)).string();
  const std::string unanswered = folder.write("unanswered.json", questions(6, false)).string();
  const std::string broken = folder.write("broken.json", "{\"data\": [\n{]}").string();
  const std::string missing = folder.write("missing.json", R"({"data": [{"paragraphs": [{"context": "w1"}]}]})").string();
  const std::string list = folder.write("list.json", "[]").string();
  const std::string out = (folder.path() / "out").string();
  const auto expect_refused = [&](const std::string& program, const std::string& arguments, const std::string& named) {
    const Ended ended = run(program, arguments);
    EXPECT_EQ(ended.code, 2) << ended.output;
    EXPECT_THAT(ended.output, HasSubstr(named));
    EXPECT_FALSE(std::filesystem::exists(out)) << named;
  };
  expect_refused("finetune", question_arguments("squad", unanswered, out), "data[0].paragraphs[0].qas[0].answers");
  expect_refused("finetune", question_arguments("squad", broken, out), "broken.json:2");
  expect_refused("finetune", question_arguments("squad2", missing, out), "data[0].paragraphs[0].qas is missing");
  expect_refused("finetune", question_arguments("squad", good, out, "--max-length 5"), "--max-length 5");
  expect_refused("finetune", question_arguments("squad", good, out, "--max-length 8 --doc-stride 3"), "--doc-stride 3");
  expect_refused("finetune", "--model " + tiny_bert + " --task squad --data " + good + " --out " + out, "--eval-data");
  expect_refused("evaluate", "--task squad --data " + good + " --predictions " + list, "list.json");
  expect_refused("evaluate", "--task cola --data " + good + " --predictions " + list, "squad");
  expect_refused("evaluate", "--task squad --data " + good, "--predictions");
  expect_refused("predict", "--task squad --max-length 16 --data " + good + " --model " + tiny_bert, "qa_outputs");
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

/// The tiny BERT with a word table that a sparse file of 4 TiB claims to hold.
bool make_huge_model(const std::filesystem::path& folder) {
  constexpr std::int64_t rows = 1'000'000'000, hidden = 1024;
  std::filesystem::copy(tiny_bert, folder);
  Json config = read_json(folder / "config.json");
  config["vocab_size"] = rows;
  config["hidden_size"] = hidden;
  write_file_atomically(folder / "config.json", config.dump());
  std::string header = R"({"bert.embeddings.word_embeddings.weight":{"dtype":"F32","shape":[)" + std::to_string(rows) + "," +
                       std::to_string(hidden) + R"(],"data_offsets":[0,)" + std::to_string(4 * rows * hidden) + "]}}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  std::string length(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(header.size() >> (8 * i) & 0xff);
  write_file_atomically(folder / "model.safetensors", length + header);
  std::error_code too_large;
  std::filesystem::resize_file(folder / "model.safetensors", 8 + header.size() + 4 * rows * hidden, too_large);
  return !too_large;
}

TEST(Programs, AModelTooLargeForMemoryIsRefusedWithItsSize) {
  const TemporaryFolder folder;
  const std::string model = (folder.path() / "huge").string(), out = (folder.path() / "out").string();
  if (!make_huge_model(model)) GTEST_SKIP() << "no sparse files of 4 TiB here";
  const std::string data = folder.write("data.tsv", table()).string();
  const Ended ended = run("finetune", "--max-length 16 --model " + model + " --task text --data " + data + " --out " + out);
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.output, HasSubstr(model));
  EXPECT_THAT(ended.output, HasSubstr("needs 15258."));
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST(Programs, AVocabularyMayBeShorterThanTheTableButNotLonger) {
  const TemporaryFolder folder;
  const std::string data = folder.write("data.tsv", table()).string(), out = (folder.path() / "out").string();
  const std::filesystem::path model = folder.path() / "model";
  std::filesystem::copy(tiny_bert, model);
  const std::string vocabulary = read_file(model / "vocab.txt");
  const auto tune = [&] {
    return run("finetune", "--max-length 16 --epochs 1 --model " + model.string() + " --task text --data " + data + " --out " + out);
  };
  write_file_atomically(model / "vocab.txt", vocabulary + "one-more\n");
  const Ended longer = tune();
  EXPECT_EQ(longer.code, 2);
  EXPECT_THAT(longer.output, HasSubstr("41 tokens, the embedding table 40 rows"));
  EXPECT_FALSE(std::filesystem::exists(out));
  std::size_t end = vocabulary.size();
  for (int lines = 0; lines < 3; ++lines) end = vocabulary.rfind('\n', end - 1);
  write_file_atomically(model / "vocab.txt", vocabulary.substr(0, end + 1));
  const Ended shorter = tune();
  ASSERT_EQ(shorter.code, 0) << shorter.output;
  EXPECT_THAT(read_file(std::filesystem::path(out) / "model.safetensors"), HasSubstr(R"("shape":[40,8])"));
}

TEST(Programs, ThreadsStayWithinTheAffinityMask) {
  if (std::system("taskset -c 0 true") != 0) GTEST_SKIP() << "no taskset";
  const TemporaryFolder folder;
  const std::string data = folder.write("data.tsv", table()).string();
  for (const char* threads : {"", " --threads 16"}) {
    const Ended ended = run("finetune", finetune_arguments(folder, data, "out") + threads, "/dev/null", "OMP_NUM_THREADS=16 taskset -c 0 ");
    ASSERT_EQ(ended.code, 0) << ended.output;
    EXPECT_THAT(ended.output, HasSubstr(" 1 threads,"));
    std::filesystem::remove_all(folder.path() / "out");
  }
}

TEST(Programs, HelloLinearAndBertLayerPrintEveryRecipe) {
  for (const Ended& ended : {run("hello_linear", ""), run("bert_layer", "--model " + tiny_bert + " --layer 0")})
    for (const char* recipe : {"int8", "approach1", "approach2", "rowwise"}) {
      EXPECT_EQ(ended.code, 0) << ended.output;
      EXPECT_THAT(ended.output, HasSubstr(recipe));
    }
}

// The two loops end at the same loss, or the program says they do not.
TEST(Programs, EigenLoopTrainsAlikeInFloatsAndInIntegers) {
  const TemporaryFolder folder;
  std::string text = "text\tlabel\n";
  for (int i = 0; i < 5200; ++i)
    text += fmt::format("word{} and word{}{}\n", i * 7 % 301, i * 13 % 97, i % 3 == 0 ? " was good\tyes" : " was not\tno");
  const std::string data = folder.write("data.tsv", text).string();
  const Ended ended = run("eigen_loop", data + " --epochs 2");
  EXPECT_EQ(ended.code, 0) << ended.output;
  EXPECT_THAT(ended.output, HasSubstr("Eigen FP32"));
  EXPECT_THAT(ended.output, HasSubstr("rowwise"));
  EXPECT_THAT(ended.output, HasSubstr("times as fast"));

  const Ended refused = run("eigen_loop", folder.write("small.tsv", table()).string());
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.output, HasSubstr("small.tsv: needs 5120 sentences or more, has 24"));
}

}  // namespace
}  // namespace fixtune
