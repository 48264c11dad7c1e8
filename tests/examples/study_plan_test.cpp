#include "study/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "temporary_folder.h"

namespace fixtune::study {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> names(const std::vector<StudyRun>& runs) {
  std::vector<std::string> list;
  for (const StudyRun& run : runs) list.push_back(run.name());
  return list;
}

const char* const plan_text = R"({
  "tasks": {"rte": {"data": "glue/RTE", "options": {"epochs": 5, "lr": 2e-5}}, "squad": {"data": "a", "eval-data": "b"}},
  "recipes": {"gamma3": {"default": {"gamma": 3}}},
  "groups": [
    {"models": ["m"], "tasks": ["rte"], "recipes": ["fp32", "gamma3"], "seeds": [1, 0]},
    {"models": ["m"], "tasks": ["rte", "squad"], "recipes": ["fp32"], "seeds": [0], "options": {}},
    {"models": ["n"], "tasks": ["rte"], "recipes": ["int8"], "seeds": [7], "options": {"epochs": 1, "regression": true}}
  ]})";

TEST(StudyPlan, ExpandsGroupsInOrderAndKeepsARunOnce) {
  const TemporaryFolder folder;
  const StudyPlan plan = read_plan(folder.write("mine.json", plan_text));
  EXPECT_EQ(plan.name, "mine");
  EXPECT_THAT(names(plan.runs), ElementsAre("rte-fp32-1-m", "rte-gamma3-1-m", "rte-fp32-0-m", "rte-gamma3-0-m",
                                            "squad-fp32-0-m", "rte-int8-7-n"));
  EXPECT_EQ(plan.task_of(plan.runs[4]).eval_data, "b");
  EXPECT_EQ(plan.runs[0].options, (Json{{"epochs", 5}, {"lr", 2e-5}}));
  EXPECT_EQ(plan.runs[5].options, (Json{{"epochs", 1}, {"lr", 2e-5}, {"regression", true}}));
  EXPECT_EQ(plan.identity(plan.runs[1])["recipe_document"]["default"]["gamma"], 3);
}

TEST(StudyPlan, SelectsByPatternsInTheirOrder) {
  const TemporaryFolder folder;
  const StudyPlan plan = read_plan(folder.write("mine.json", plan_text));
  EXPECT_THAT(names(select(plan, {"^squad", "fp32"})), ElementsAre("squad-fp32-0-m", "rte-fp32-1-m", "rte-fp32-0-m"));
  EXPECT_EQ(select(plan, {}).size(), 6U);
  EXPECT_THAT(error_of([&] { select(plan, {"qnli"}); }), HasSubstr("\"qnli\" matches no run"));
  EXPECT_THAT(error_of([&] { select(plan, {"(rte"}); }), HasSubstr("(rte"));
}

TEST(StudyPlan, IdentitiesAreEqualWhateverTheOrder) {
  EXPECT_TRUE(same_identity(Json::parse(R"({"a": 1, "b": {"c": 2, "d": 3}})"), Json::parse(R"({"b": {"d": 3, "c": 2}, "a": 1})")));
  EXPECT_FALSE(same_identity(Json::parse(R"({"a": 1})"), Json::parse(R"({"a": 2})")));
}

TEST(StudyPlan, NamesTheFileAndTheFieldThatDoesNotFit) {
  const TemporaryFolder folder;
  const auto message = [&](const std::string& tasks, const std::string& groups) {
    const std::string text = R"({"tasks": )" + tasks + R"(, "groups": )" + groups + "}";
    return error_of([&] { read_plan(folder.write("bad.json", text)); });
  };
  const std::string tasks = R"({"rte": {"data": "d"}})";
  const auto group = [](const std::string& recipes, const std::string& seeds, const std::string& more) {
    return R"([{"models": ["m"], "tasks": ["rte"], "recipes": )" + recipes + R"(, "seeds": )" + seeds + more + "}]";
  };
  EXPECT_EQ(message(tasks, group(R"(["fp32"])", "[0]", "")), "no error");
  EXPECT_THAT(message(R"({"rte": {}})", "[]"), HasSubstr("bad.json: tasks.rte.data: is missing"));
  EXPECT_THAT(message(R"({"rte": {"data": "d", "sead": 1}})", "[]"), HasSubstr("unknown field \"sead\""));
  EXPECT_THAT(message("{}", group(R"(["fp32"])", "[0]", "")), HasSubstr("groups[0]: task \"rte\" is not among"));
  EXPECT_THAT(message(tasks, group(R"(["fp23"])", "[0]", "")), HasSubstr("fp23"));
  EXPECT_THAT(message(tasks, group(R"(["../x"])", "[0]", "")), HasSubstr("groups[0].recipes"));
  EXPECT_THAT(message(tasks, group("[]", "[0]", "")), HasSubstr("groups[0].recipes"));
  EXPECT_THAT(message(tasks, group(R"(["fp32"])", "[-1]", "")), HasSubstr("groups[0].seeds: -1"));
  EXPECT_THAT(message(tasks, group(R"(["fp32"])", "[0]", R"(, "options": {"out": "x"})")), HasSubstr("--out is the study's"));
  EXPECT_THAT(message(tasks, group(R"(["fp32"])", "[0]", R"(, "options": {"lr": [1]})")), HasSubstr("options.lr"));
  std::string twice = group(R"(["fp32"])", "[0]", "");
  twice.back() = ',';
  twice += group(R"(["fp32"])", "[0]", R"(, "options": {"lr": 1})").substr(1);
  EXPECT_THAT(message(tasks, twice), HasSubstr("rte-fp32-0-m is there twice"));
  EXPECT_THAT(error_of([&] { read_plan(folder.write("bad.json", "[")); }), HasSubstr("bad.json:1"));
}

}  // namespace
}  // namespace fixtune::study
