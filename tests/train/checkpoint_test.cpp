#include "fixtune/train/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <limits>

#include "fixtune/io/file.h"
#include "temporary_folder.h"

namespace fixtune {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<Parameter> two_parameters(float value) {
  return {{Variable(Tensor::filled(30, 40, value), true, "w")}, {Variable(Tensor::filled(1, 3, value), true, "frozen")}};
}

/// Two parameters, of which one has taken `steps` steps.
struct Trained {
  explicit Trained(int steps = 0) : optimizer(two_parameters(1.0F)) {
    const Variable w = optimizer.parameters()[0].variable;
    for (int step = 0; step < steps; ++step) {
      w.gradient()->accumulate(Tensor::filled(30, 40, static_cast<float>(step + 1)));
      optimizer.step(0.1F);
      optimizer.zero_grad();
    }
  }
  AdamW optimizer;
};

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() && (a.empty() || std::memcmp(a.data(), b.data(), a.bytes()) == 0);
}

TrainingState state_at(Index step) {
  TrainingState state;
  state.step = step;
  state.epoch_loss = 0.1 + 0.2;
  state.epoch_seconds = 1.0 / 3.0;
  state.result.epochs.push_back({0.7, 2.5, {{"pearson", std::nullopt}, {"spearman", -0.25}}});
  state.result.seconds = 1e-300;
  state.result.tokens = 123456789012;
  state.result.saved_activation_bytes = 77;
  state.result.outliers.add("layer", {100, 3, 2, 142.8F, 0.05F});
  return state;
}

RunDescription run_of(int seed) {
  RunDescription run;
  run.identity = {{"seed", seed}, {"lr", 2e-5F}, {"recipe", {{"default", {{"gamma", 5.0}}}, {"layers", Json::object()}}}};
  run.circumstances = {{"threads", 2}};
  return run;
}

class CheckpointTest : public testing::Test {
 protected:
  void save(int steps, Index keep = 2) const {
    CheckpointFolder(folder_, run_of(0), keep).save(Trained(steps).optimizer, state_at(steps), false);
  }
  std::string newest() {
    notices_.clear();
    const auto path = CheckpointFolder(folder_, run_of(0), 2, [this](std::string_view text) { notices_ += text; }).newest();
    return path ? path->filename().string() : "none";
  }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) found.push_back(entry.path().filename());
    std::sort(found.begin(), found.end());
    return found;
  }
  void write(const std::string& name, std::string_view content) const {
    std::ofstream(folder_ / name, std::ios::binary) << content;
  }

  TemporaryFolder around_;
  std::filesystem::path folder_ = around_.path() / "out" / "checkpoints";
  std::string notices_;
};

TEST_F(CheckpointTest, GivesBackEveryBit) {
  const Trained saved(3);
  CheckpointFolder checkpoints(folder_, run_of(0), 1);
  EXPECT_FALSE(checkpoints.newest());
  checkpoints.save(saved.optimizer, state_at(3), false);
  Trained loaded;
  const TrainingState state = checkpoints.load(*checkpoints.newest(), loaded.optimizer);
  EXPECT_EQ(to_json(state), to_json(state_at(3)));
  EXPECT_EQ(state.epoch_loss, 0.1 + 0.2);
  EXPECT_EQ(state.result.outliers.to_json(), state_at(3).result.outliers.to_json());
  EXPECT_EQ(loaded.optimizer.steps(), 3);
  EXPECT_THAT(loaded.optimizer.parameter_steps(), ElementsAre(3, 0));
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_TRUE(same_bits(loaded.optimizer.parameters()[i].variable.value(), saved.optimizer.parameters()[i].variable.value()));
    EXPECT_TRUE(same_bits(loaded.optimizer.first_moments()[i], saved.optimizer.first_moments()[i]));
    EXPECT_TRUE(same_bits(loaded.optimizer.second_moments()[i], saved.optimizer.second_moments()[i]));
  }
}

TEST_F(CheckpointTest, KeepsTheNewestWholeOnesAndWhatIsNotItsOwn) {
  std::filesystem::create_directories(folder_ / "step-7");
  std::filesystem::create_directories(folder_ / "step-00000009.partial-1");
  write("notes.txt", "mine");
  for (const int step : {1, 2, 3}) save(step);
  EXPECT_THAT(names(), ElementsAre("notes.txt", "step-00000002", "step-00000003", "step-7"));
  save(12, 0);
  EXPECT_THAT(names(), ElementsAre("notes.txt", "step-00000012", "step-7"));
  CheckpointFolder(folder_, run_of(0), 1).save(Trained(13).optimizer, state_at(13), true);
  EXPECT_EQ(newest(), "finished");
  EXPECT_THAT(notices_, IsEmpty());
}

// A kill may come between a checkpoint's completion and the removal of what it makes old; the next run removes that.
TEST_F(CheckpointTest, LoadingRemovesWhatAKillLeft) {
  for (const int step : {1, 2, 3}) save(step, 3);
  std::filesystem::create_directories(folder_ / "step-00000004");
  const CheckpointFolder checkpoints(folder_, run_of(0), 1);
  Trained loaded;
  checkpoints.load(*checkpoints.newest(), loaded.optimizer);
  EXPECT_THAT(names(), ElementsAre("step-00000003", "step-00000004"));
}

TEST_F(CheckpointTest, AllGoAtOnceAndTheFolderWhereItIsEmpty) {
  EXPECT_FALSE(has_checkpoints(folder_));
  save(1);
  EXPECT_TRUE(has_checkpoints(folder_));
  write("notes.txt", "mine");
  remove_checkpoints(folder_);
  EXPECT_THAT(names(), ElementsAre("notes.txt"));
  EXPECT_FALSE(has_checkpoints(folder_));
  std::filesystem::remove(folder_ / "notes.txt");
  save(1);
  remove_checkpoints(folder_);
  EXPECT_FALSE(std::filesystem::exists(folder_));
}

TEST_F(CheckpointTest, PassesOverWhatIsTorn) {
  for (const int step : {1, 2, 3}) save(step, 3);
  std::filesystem::resize_file(folder_ / "step-00000003" / "optimizer.safetensors", 100);
  std::filesystem::create_directory(folder_ / "step-00000010");
  write("step-00000011", "a file");
  EXPECT_EQ(newest(), "step-00000002");
  EXPECT_THAT(notices_, HasSubstr("step-00000003 is not whole"));
  EXPECT_THAT(notices_, HasSubstr("optimizer.safetensors has another size"));
  std::string weights = read_file(folder_ / "step-00000002" / "model.safetensors");
  weights.back() ^= 1;
  write("step-00000002/model.safetensors", weights);
  EXPECT_EQ(newest(), "step-00000001");
}

TEST_F(CheckpointTest, ADamagedOneNeverPushesOutAGoodOne) {
  for (const int step : {1, 2, 5}) save(step, 3);
  std::string weights = read_file(folder_ / "step-00000005" / "model.safetensors");
  weights.back() ^= 1;
  write("step-00000005/model.safetensors", weights);
  EXPECT_EQ(newest(), "step-00000002");
  save(3, 1);
  EXPECT_THAT(names(), ElementsAre("step-00000003"));
  EXPECT_EQ(newest(), "step-00000003");
}

TEST_F(CheckpointTest, OfAnotherRunIsRefusedByName) {
  save(1);
  const auto refusal = [&](const RunDescription& run) {
    return error_of([&] {
      Trained loaded;
      const CheckpointFolder checkpoints(folder_, run, 1);
      checkpoints.load(*checkpoints.newest(), loaded.optimizer);
    });
  };
  RunDescription other = run_of(1);
  EXPECT_THAT(refusal(other), HasSubstr("step-00000001 belongs to another run: seed is 0 there, 1 here"));
  other.identity["lr"] = 3e-5F;
  EXPECT_THAT(refusal(other), HasSubstr("lr is 2e-05 there, 3e-05 here"));
  other = run_of(0);
  other.identity["recipe"]["default"]["gamma"] = 6.0;
  EXPECT_THAT(refusal(other), HasSubstr("recipe.default.gamma is 5 there, 6 here"));
  other = run_of(0);
  other.identity["limit"] = 10;
  EXPECT_THAT(refusal(other), HasSubstr("limit is null there, 10 here"));
  other = run_of(0);
  other.circumstances["threads"] = 4;
  EXPECT_EQ(refusal(other), "no error");
}

TEST(Differences, ShowTheOrderAndTheLastDigits) {
  EXPECT_THAT(differences(Json::parse(R"({"a": 1, "b": 2})"), Json::parse(R"({"b": 2, "a": 1})")),
              ElementsAre(R"( is {"a":1,"b":2} there, {"b":2,"a":1} here)"));
  EXPECT_THAT(differences({{"x", 0.1}}, {{"x", std::nextafter(0.1, 1.0)}}),
              ElementsAre("x is 0.1 there, 0.10000000000000002 here"));
  EXPECT_THAT(differences({{"x", {1, 2}}}, {{"x", {1, 2}}}), IsEmpty());
}

TEST_F(CheckpointTest, CircumstancesAreNoted) {
  save(1);
  RunDescription other = run_of(0);
  other.circumstances["threads"] = 4;
  const CheckpointFolder checkpoints(folder_, other, 1, [this](std::string_view text) { notices_ += text; });
  Trained loaded;
  checkpoints.load(*checkpoints.newest(), loaded.optimizer);
  EXPECT_THAT(notices_, HasSubstr("threads is 2 there, 4 here"));
}

TEST_F(CheckpointTest, OfAnotherModelIsRefusedByTensor) {
  save(1);
  const auto refusal = [&](std::vector<Parameter> parameters) {
    return error_of([&] {
      AdamW optimizer(std::move(parameters));
      const CheckpointFolder checkpoints(folder_, run_of(0), 1);
      checkpoints.load(*checkpoints.newest(), optimizer);
    });
  };
  EXPECT_THAT(refusal({{Variable(Tensor::zeros(30, 40), true, "w")}}), HasSubstr("2 tensors for a model of 1"));
  EXPECT_THAT(refusal({{Variable(Tensor::zeros(40, 30), true, "w")}, {Variable(Tensor::zeros(1, 3), true, "frozen")}}),
              HasSubstr("tensor w has shape [30, 40], the model's is [40, 30]"));
  EXPECT_THAT(refusal({{Variable(Tensor::zeros(30, 40), true, "v")}, {Variable(Tensor::zeros(1, 3), true, "frozen")}}),
              HasSubstr("tensor v is missing"));
}

TEST_F(CheckpointTest, OfAnUnknownFormIsRefused) {
  const auto refusal = [&](std::string_view document) {
    return error_of([&] { parse_training_state(parse_json(document, "state"), "state.json"); });
  };
  EXPECT_THAT(refusal("[]"), HasSubstr("state.json: "));
  EXPECT_THAT(refusal("{}"), HasSubstr("step"));
  Json state = to_json(state_at(1));
  for (const char* field : {"step", "tokens", "saved_activation_bytes"})
    for (const Json& wrong : {Json(-1), Json(1e300), Json("1"), Json()}) {
      Json broken = state;
      broken[field] = wrong;
      EXPECT_THAT(refusal(broken.dump()), HasSubstr(field));
    }
  state["epochs"][0]["loss"] = "low";
  EXPECT_THAT(refusal(state.dump()), HasSubstr("state.json: "));
}

TEST_F(CheckpointTest, IsForOneProcess) {
  const CheckpointFolder first(folder_, run_of(0), 1);
  EXPECT_THAT(error_of([&] { CheckpointFolder(folder_, run_of(0), 1); }), HasSubstr("another process is using it"));
}

/// No file may grow past this while it lives; writing more is an error, as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST_F(CheckpointTest, AFullDiskIsNamedAndTheOldOneStays) {
  save(1, 1);
  // The weights take 4.9 kB, the moments twice that, the state 1 kB: each is the one that does not fit once.
  for (const auto& [limit, file] : std::vector<std::pair<rlim_t, const char*>>{
           {4000, "model.safetensors"}, {8000, "optimizer.safetensors"}, {100, "model.safetensors"}}) {
    const FileSizeLimit full(limit);
    const std::string message = error_of([&] { save(2, 1); });
    EXPECT_THAT(message, HasSubstr(file));
    EXPECT_THAT(message, HasSubstr("File too large"));
    EXPECT_THAT(names(), ElementsAre("step-00000001"));
  }
  EXPECT_EQ(newest(), "step-00000001");
}

TEST_F(CheckpointTest, AFolderThatCannotBeWrittenIsNamed) {
  save(1, 1);
  if (geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  std::filesystem::permissions(folder_, std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  EXPECT_THAT(error_of([&] { save(2, 1); }), HasSubstr("step-00000002"));
  EXPECT_EQ(newest(), "step-00000001");
  std::filesystem::permissions(folder_, std::filesystem::perms::owner_all);
}

}  // namespace
}  // namespace fixtune
