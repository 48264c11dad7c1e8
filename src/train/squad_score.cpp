#include "fixtune/train/squad_score.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "fixtune/data/answer_text.h"

namespace fixtune {
namespace {

std::size_t common_words(std::vector<std::string> a, std::vector<std::string> b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  std::vector<std::string> common;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(common));
  return common.size();
}

double f1_of_words(const std::vector<std::string>& answer, const std::vector<std::string>& right) {
  const auto common = static_cast<double>(common_words(answer, right));
  if (common == 0.0) return 0.0;
  const double precision = common / static_cast<double>(answer.size());
  const double recall = common / static_cast<double>(right.size());
  return 2.0 * precision * recall / (precision + recall);
}

/// The right answers; in V2 those that have words, or the empty one.
std::vector<std::string_view> right_answers(SquadVersion version, const Question& question) {
  std::vector<std::string_view> right;
  for (const Answer& answer : question.answers)
    if (version == SquadVersion::V1 || !answer_words(answer.text).empty()) right.push_back(answer.text);
  if (version == SquadVersion::V2 && right.empty()) right.emplace_back();
  return right;
}

AnswerScore best_score(SquadVersion version, const Question& question, std::string_view answer) {
  AnswerScore best;
  for (const std::string_view right : right_answers(version, question)) {
    const AnswerScore score = score_answer(version, answer, right);
    best.exact = std::max(best.exact, score.exact);
    best.f1 = std::max(best.f1, score.f1);
  }
  return best;
}

/// Scores added up in the order of the questions.
struct Sum {
  AnswerScore score;
  double count = 0.0;

  void add(const AnswerScore& s) {
    score.exact += s.exact;
    score.f1 += s.f1;
    count += 1.0;
  }
  std::optional<double> exact() const { return percent(score.exact); }
  std::optional<double> f1() const { return percent(score.f1); }

 private:
  std::optional<double> percent(double sum) const {
    return count == 0.0 ? std::nullopt : std::optional(100.0 * sum / count);
  }
};

void append_part(const std::string& name, const Sum& sum, Metrics& metrics) {
  if (sum.count == 0.0) return;
  metrics.emplace_back(name + "_exact", sum.exact());
  metrics.emplace_back(name + "_f1", sum.f1());
  metrics.emplace_back(name + "_total", sum.count);
}

}  // namespace

AnswerScore score_answer(SquadVersion version, std::string_view answer, std::string_view right) {
  const std::vector<std::string> answered = answer_words(answer);
  const std::vector<std::string> wanted = answer_words(right);
  const double exact = answered == wanted ? 1.0 : 0.0;
  if (version == SquadVersion::V2 && (answered.empty() || wanted.empty())) return {exact, exact};
  return {exact, f1_of_words(answered, wanted)};
}

Metrics squad_metrics(SquadVersion version, const SquadDataset& data, const SquadPredictions& predictions) {
  Sum all, has_answer, no_answer;
  for (const Question& question : data.questions) {
    const auto predicted = predictions.find(question.id);
    const AnswerScore score =
        predicted == predictions.end() ? AnswerScore{} : best_score(version, question, predicted->second);
    all.add(score);
    (question.answers.empty() ? no_answer : has_answer).add(score);
  }
  Metrics metrics{{"exact_match", all.exact()}, {"f1", all.f1()}};
  if (version == SquadVersion::V1) return metrics;
  metrics.emplace_back("total", all.count);
  append_part("HasAns", has_answer, metrics);
  append_part("NoAns", no_answer, metrics);
  return metrics;
}

}  // namespace fixtune
