// The study as a user runs it, with a script in finetune's place.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "fixtune/io/file.h"
#include "fixtune/io/json.h"
#include "temporary_folder.h"

namespace fixtune {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

/// Succeeds at once, except: int8 fails; approach1 waits when first run, and the second time goes on from what it left.
/// `calls` lists the recipe and whether a checkpoint was there; `arguments` what it was called with.
const char* const script = R"(#!/bin/sh
here=$(dirname "$0")
echo "$@" >> "$here/arguments"
while [ $# -gt 0 ]; do
  case "$1" in
    --recipe) recipe=$2;;
    --out) out=$2;;
    --json) json=$2;;
  esac
  shift
done
mkdir -p "$out"
[ -f "$out/checkpoint" ] && found=resumed || found=new
echo "$recipe $found" >> "$here/calls"
[ "$recipe" = int8 ] && { echo "no such luck"; exit 7; }
if [ "$recipe" = approach1 ] && [ $found = new ]; then
  touch "$out/checkpoint"
  echo $$ > "$here/waiting"
  exec sleep 60
fi
echo '{"training_examples": 9, "epochs": [{"metrics": {"accuracy": 0.25}}, {"metrics": {"accuracy": 0.75}}]}' > "$json"
)";

class Study : public testing::Test {
 protected:
  Study() {
    std::filesystem::permissions(folder_.write("script", script), std::filesystem::perms::owner_all);
  }

  void plan(const std::string& recipes) {
    folder_.write("plan.json", R"({"tasks": {"rte": {"data": "glue/RTE", "options": {"epochs": 2}}}, "groups": [)"
                               R"({"models": ["m"], "tasks": ["rte"], "seeds": [0], "recipes": )" + recipes + "}]}");
  }

  /// Starts `study COMMAND plan.json OPTIONS`, its output into the file `output`.
  pid_t start(const std::string& command, const std::vector<std::string>& options) const {
    std::vector<std::string> words{std::string(FIXTUNE_PROGRAMS) + "/study", command, file("plan.json")};
    words.insert(words.end(), options.begin(), options.end());
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const std::string output = file("output");
    const pid_t child = fork();
    if (child != 0) return child;
    const int descriptor = open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    dup2(descriptor, STDOUT_FILENO);
    dup2(descriptor, STDERR_FILENO);
    execv(arguments[0], arguments.data());
    _exit(127);
  }

  pid_t start_run(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> options{"--models", "/models", "--data", "/data", "--work", file("work"), "--finetune", file("script")};
    options.insert(options.end(), more.begin(), more.end());
    return start("run", options);
  }

  /// Exit code, or less the signal that ended it.
  static int wait_for(pid_t process) {
    int status = 0;
    waitpid(process, &status, 0);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }

  /// Waits until the script waits, and gives its process.
  pid_t waiting_script() const {
    for (int i = 0; i < 1000; ++i) {
      if (std::filesystem::exists(file("waiting")))
        if (const std::string text = read_file(file("waiting")); text.ends_with('\n')) return std::stoi(text);
      std::this_thread::sleep_for(10ms);
    }
    return 0;
  }

  std::string file(const std::string& name) const { return (folder_.path() / name).string(); }
  std::string output() const { return read_file(file("output")); }
  std::string calls() const { return read_file(file("calls")); }
  Json result(const std::string& recipe) const { return read_json(file("plan/rte-" + recipe + "-0-m.json")); }
  bool has_result(const std::string& recipe) const { return std::filesystem::exists(file("plan/rte-" + recipe + "-0-m.json")); }

  const TemporaryFolder folder_;
};

TEST_F(Study, RunsWhatIsMissingAndKeepsTheFigures) {
  plan(R"(["fp32", "rowwise"])");
  ASSERT_EQ(wait_for(start_run({"--threads", "1"})), 0) << output();
  EXPECT_THAT(output(), HasSubstr("[2/2] rte-rowwise-0-m: done in 0:00, accuracy 0.7500"));
  EXPECT_EQ(result("fp32")["figures"]["training_examples"], 9);
  EXPECT_EQ(result("fp32")["run"],
            Json::parse(R"({"model": "m", "task": "rte", "recipe": "fp32", "seed": 0, "options": {"epochs": 2}})"));
  EXPECT_TRUE(result("fp32")["machine"].contains("cpu"));
  EXPECT_FALSE(std::filesystem::exists(file("work/rte-fp32-0-m/model"))) << "a finished model is not kept";
  EXPECT_EQ(read_file(file("arguments")).substr(0, read_file(file("arguments")).find('\n')),
            "--model /models/m --task rte --data /data/glue/RTE --recipe fp32 --seed 0 --out " + file("work/rte-fp32-0-m/model") +
                " --json " + file("work/rte-fp32-0-m/figures.json") +
                " --threads 1 --checkpoint-every 100 --keep 0 --resume --epochs 2");

  std::filesystem::remove(file("plan/rte-fp32-0-m.json"));
  ASSERT_EQ(wait_for(start_run({"--keep-models"})), 0) << output();
  EXPECT_EQ(calls(), "fp32 new\nrowwise new\nfp32 new\n");
  EXPECT_TRUE(std::filesystem::exists(file("work/rte-fp32-0-m/model")));
}

TEST_F(Study, ReportsAFailureAndGoesOn) {
  plan(R"(["int8", "fp32"])");
  EXPECT_EQ(wait_for(start_run()), 1);
  EXPECT_THAT(output(), HasSubstr("rte-int8-0-m: failed: exit code 7"));
  EXPECT_THAT(output(), HasSubstr("no such luck"));
  EXPECT_THAT(output(), HasSubstr("1 failed: rte-int8-0-m"));
  EXPECT_FALSE(has_result("int8"));
  EXPECT_TRUE(has_result("fp32"));
}

TEST_F(Study, PassesASignalOnAndGoesOnFromTheCheckpoint) {
  plan(R"(["approach1", "fp32"])");
  for (const int signal : {SIGTERM, SIGINT}) {
    std::filesystem::remove_all(file("work"));
    std::filesystem::remove(file("waiting"));
    const pid_t study = start_run();
    const pid_t child = waiting_script();
    ASSERT_NE(child, 0);
    kill(study, signal);
    EXPECT_EQ(wait_for(study), 128 + signal);
    EXPECT_NE(kill(child, 0), 0) << "the child still runs";
    EXPECT_THAT(output(), HasSubstr("rte-approach1-0-m: stopped"));
    EXPECT_FALSE(has_result("approach1"));
    EXPECT_FALSE(has_result("fp32"));
  }
  EXPECT_EQ(wait_for(start_run()), 0) << output();
  EXPECT_THAT(calls(), HasSubstr("approach1 resumed\nfp32 new\n"));
  EXPECT_TRUE(has_result("approach1"));
}

TEST_F(Study, KilledOutrightItLeavesNoChildAndGoesOn) {
  plan(R"(["approach1"])");
  prctl(PR_SET_CHILD_SUBREAPER, 1);  // so that the orphan becomes ours to wait for
  const pid_t study = start_run();
  const pid_t child = waiting_script();
  ASSERT_NE(child, 0);
  kill(study, SIGKILL);
  EXPECT_EQ(wait_for(study), -SIGKILL);
  EXPECT_EQ(wait_for(child), -SIGTERM);
  EXPECT_EQ(wait_for(start_run()), 0) << output();
  EXPECT_EQ(calls(), "approach1 new\napproach1 resumed\n");
}

TEST_F(Study, StopsWhenTheTimeIsUp) {
  plan(R"(["approach1", "fp32"])");
  EXPECT_EQ(wait_for(start_run({"--max-hours", "0.0006"})), 1) << output();  // two seconds
  EXPECT_THAT(output(), HasSubstr("rte-approach1-0-m: stopped"));
  EXPECT_THAT(output(), HasSubstr("2 left"));
  EXPECT_FALSE(has_result("fp32"));
}

TEST_F(Study, TwoStudiesDoNotRunTheSame) {
  plan(R"(["approach1", "fp32"])");
  const pid_t first = start_run();
  ASSERT_NE(waiting_script(), 0);
  EXPECT_EQ(wait_for(start_run()), 1) << "one is left";
  EXPECT_THAT(output(), HasSubstr("rte-approach1-0-m: another process is at it"));
  EXPECT_TRUE(has_result("fp32"));
  kill(first, SIGTERM);
  wait_for(first);
}

TEST_F(Study, ListsWhatIsDone) {
  plan(R"(["fp32", "bf16"])");
  ASSERT_EQ(wait_for(start_run({"--only", "fp32"})), 0) << output();
  ASSERT_EQ(wait_for(start("list", {})), 0) << output();
  EXPECT_EQ(output(), "done     rte-fp32-0-m\nmissing  rte-bf16-0-m\n");
}

TEST_F(Study, RefusesResultsOfOtherOptionsAndBrokenFiles) {
  plan(R"(["fp32"])");
  ASSERT_EQ(wait_for(start_run()), 0) << output();
  Json other = result("fp32");
  other["run"]["options"]["epochs"] = 3;
  folder_.write("plan/rte-fp32-0-m.json", other.dump());
  EXPECT_EQ(wait_for(start_run()), 2);
  EXPECT_THAT(output(), HasSubstr("rte-fp32-0-m.json"));
  EXPECT_THAT(output(), HasSubstr("\"epochs\":3"));
  folder_.write("plan/rte-fp32-0-m.json", "{}");
  EXPECT_EQ(wait_for(start("list", {})), 2);
  std::filesystem::remove(file("plan/rte-fp32-0-m.json"));
  EXPECT_EQ(wait_for(start("run", {"--models", "/m", "--data", "/d", "--work", file("work"), "--finetune", file("none")})), 2);
  EXPECT_THAT(output(), HasSubstr(file("none")));
}

TEST_F(Study, WritesARecipeOfItsOwnForTheChild) {
  folder_.write("plan.json", R"({"tasks": {"rte": {"data": "d"}}, "recipes": {"gamma3": {"default": {"gamma": 3}}}, "groups": [)"
                             R"({"models": ["m"], "tasks": ["rte"], "seeds": [0], "recipes": ["gamma3"]}]})");
  ASSERT_EQ(wait_for(start_run({"--checkpoint-every", "0"})), 0) << output();
  EXPECT_EQ(read_json(file("work/rte-gamma3-0-m/recipe.json"))["default"]["gamma"], 3);
  EXPECT_THAT(read_file(file("arguments")), HasSubstr("--recipe " + file("work/rte-gamma3-0-m/recipe.json")));
  EXPECT_THAT(read_file(file("arguments")), Not(HasSubstr("--resume")));
}

}  // namespace
}  // namespace fixtune
