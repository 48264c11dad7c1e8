// Runs of finetune that are stopped, killed or cannot write, and what is left of them.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <random>
#include <thread>

#include "fixtune/io/file.h"
#include "fixtune/io/json.h"
#include "temporary_folder.h"

namespace fixtune {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Milliseconds = std::chrono::duration<double, std::milli>;

/// A run in the background, its output in a file.
class Process {
 public:
  explicit Process(std::vector<std::string> arguments, const std::filesystem::path& output) : output_(output) {
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    if (posix_spawn(&id_, pointers[0], &actions, nullptr, pointers.data(), environ) != 0) id_ = -1;
    posix_spawn_file_actions_destroy(&actions);
  }
  void send(int signal) const { kill(id_, signal); }
  /// The exit code, or minus the signal that ended it.
  int wait() const {
    int status = 0;
    waitpid(id_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  std::string output() const { return read_file(output_); }

 private:
  std::filesystem::path output_;
  pid_t id_ = -1;
};

class ResumeProgram : public testing::Test {
 protected:
  ResumeProgram() {
    std::string rows = "text\tlabel\n";
    for (int i = 0; i < 24; ++i) rows += "w" + std::to_string(4 + i) + (i % 2 == 0 ? " w3\tyes\n" : " w30 w31\tno\n");
    data_ = folder_.write("data.tsv", rows);
  }
  std::vector<std::string> command(const std::string& out, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{
        std::string(FIXTUNE_PROGRAMS) + "/finetune", "--model", std::string(FIXTUNE_FIXTURES) + "/tiny_bert", "--task",
        "text", "--data", data_, "--batch-size", "4", "--lr", "1e-3", "--max-length", "16", "--threads", "1", "--epochs",
        std::to_string(epochs_), "--out", path(out)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  Process start(const std::string& out, const std::vector<std::string>& more = {}) const {
    return Process(command(out, more), folder_.path() / "output");
  }
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  bool wait_for(const std::string& name) const {
    for (int i = 0; i < 20000 && !std::filesystem::exists(path(name)); ++i)
      std::this_thread::sleep_for(Milliseconds(1));
    return std::filesystem::exists(path(name));
  }
  /// Every file of a run by name; of JSON with measured seconds in it, nothing.
  std::map<std::string, std::string> files(const std::string& out) const {
    std::map<std::string, std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path(out))) {
      if (!entry.is_regular_file()) continue;
      const std::string name = entry.path().filename();
      const bool measured = name == "state.json" || name == "checksums.json";
      found[std::filesystem::relative(entry.path(), path(out))] = measured ? "" : read_file(entry.path());
    }
    return found;
  }

  TemporaryFolder folder_;
  std::string data_;
  int epochs_ = 12;
};

TEST_F(ResumeProgram, KilledAtAnyMomentEndsWithTheSameFiles) {
  const std::vector<std::string> resume{"--checkpoint-every", "4", "--resume"};
  const auto began = std::chrono::steady_clock::now();
  ASSERT_EQ(start("straight", resume).wait(), 0);
  const Milliseconds whole = std::chrono::steady_clock::now() - began;
  std::mt19937 random(1);
  for (int kills = 0; kills < 8; ++kills) {
    const Process process = start("killed", resume);
    std::this_thread::sleep_for(whole * std::uniform_real_distribution<>(0.0, 0.7)(random));
    process.send(SIGKILL);
    process.wait();
    EXPECT_THAT(process.output(), testing::Not(HasSubstr("not whole"))) << kills;
  }
  const Process last = start("killed", resume);
  ASSERT_EQ(last.wait(), 0) << last.output();
  EXPECT_EQ(files("straight"), files("killed"));
}

TEST_F(ResumeProgram, ASignalSavesAndStopsWithItsCode) {
  epochs_ = 2;
  ASSERT_EQ(start("straight", {"--checkpoint-every", "1000"}).wait(), 0);
  for (const int signal : {SIGINT, SIGTERM}) {
    const std::string out = "stopped-" + std::to_string(signal);
    epochs_ = 100000;
    const Process unsaved = start(out);
    std::this_thread::sleep_for(Milliseconds(300));
    unsaved.send(signal);
    const int code = unsaved.wait();
    EXPECT_TRUE(code == 128 + signal || code == -signal) << code;  // the latter while it still reads its input
    EXPECT_FALSE(std::filesystem::exists(path(out)));

    const Process saved = start(out, {"--checkpoint-every", "50", "--keep", "1"});
    ASSERT_TRUE(wait_for(out + "/checkpoints/step-00000100"));
    saved.send(signal);
    EXPECT_EQ(saved.wait(), 128 + signal);
    EXPECT_THAT(saved.output(), HasSubstr("stopped by signal " + std::to_string(signal)));
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path(out) + "/checkpoints"), {}), 1);
    const Process again = start(out, {"--checkpoint-every", "50", "--keep", "1"});
    EXPECT_EQ(again.wait(), 2);
    EXPECT_THAT(again.output(), HasSubstr("from an earlier run"));
    epochs_ = 3;
    const Process other = start(out, {"--resume"});
    EXPECT_EQ(other.wait(), 2);
    EXPECT_THAT(other.output(), HasSubstr("epochs is 100000 there, 3 here"));
  }
}

TEST_F(ResumeProgram, AFinishedRunIsNotDoneAgainAndAnotherIsRefused) {
  epochs_ = 2;
  ASSERT_EQ(start("out", {"--resume"}).wait(), 0);
  const auto before = files("out");
  Process again = start("out", {"--resume"});
  EXPECT_EQ(again.wait(), 0) << again.output();
  EXPECT_THAT(again.output(), testing::Not(HasSubstr("epoch 1: loss")));
  EXPECT_EQ(files("out"), before);

  ASSERT_EQ(start("bare", {"--resume", "--keep", "0"}).wait(), 0);
  EXPECT_FALSE(std::filesystem::exists(path("bare/checkpoints")));
  EXPECT_EQ(files("bare")["model.safetensors"], files("out")["model.safetensors"]);
  again = start("bare", {"--resume"});
  EXPECT_EQ(again.wait(), 0) << again.output();
  EXPECT_THAT(again.output(), HasSubstr("already finished"));

  const std::string rows = read_file(data_);
  for (const char* out : {"out", "bare"}) {
    for (const auto& [options, named] : std::map<std::vector<std::string>, const char*>{
             {{"--resume", "--seed", "5"}, "seed is 0 there, 5 here"},
             {{"--resume", "--recipe", "int8"}, R"(recipe.default.name is "rowwise" there, "int8" here)"},
             {{"--resume", "--limit", "20"}, "limit is 0 there, 20 here"}}) {
      const Process other = start(out, options);
      EXPECT_EQ(other.wait(), 2);
      EXPECT_THAT(other.output(), HasSubstr(named));
    }
    folder_.write("data.tsv", rows + "w9 w9\tno\n");
    const Process changed = start(out, {"--resume"});
    EXPECT_EQ(changed.wait(), 2);
    EXPECT_THAT(changed.output(), HasSubstr("data is "));
    folder_.write("data.tsv", rows);
  }
  EXPECT_EQ(files("out"), before);
}

TEST_F(ResumeProgram, AFullDiskIsNamedAndTheLastCheckpointStays) {
  epochs_ = 100000;
  const Process first = start("out", {"--checkpoint-every", "5"});
  ASSERT_TRUE(wait_for("out/checkpoints/step-00000010"));
  first.send(SIGTERM);
  ASSERT_EQ(first.wait(), 128 + SIGTERM);
  const auto before = files("out");
  // No file may pass 4 kB (bash counts in kB): less than a checkpoint's weights.
  std::string limited = "ulimit -f 4; exec";
  for (const std::string& argument : command("out", {"--checkpoint-every", "5", "--resume"})) limited += " " + argument;
  const Process full({"/bin/bash", "-c", limited}, folder_.path() / "output");
  EXPECT_EQ(full.wait(), 2);
  EXPECT_THAT(full.output(), testing::ContainsRegex("step-[0-9]+.*safetensors.*File too large"));
  EXPECT_EQ(files("out"), before);
}

TEST_F(ResumeProgram, AReadOnlyFolderIsRefusedBeforeAnyWork) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  std::filesystem::create_directory(path("out"));
  std::filesystem::permissions(path("out"), std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  const Process refused = start("out", {"--checkpoint-every", "5"});
  EXPECT_EQ(refused.wait(), 2);
  EXPECT_THAT(refused.output(), HasSubstr("out is not writable"));
}

}  // namespace
}  // namespace fixtune
