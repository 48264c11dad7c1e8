#include "fixtune/data/squad.h"

#include <unordered_map>

#include "fixtune/core/error.h"
#include "fixtune/io/json.h"

namespace fixtune {
namespace {

/// A value of the document with its path in it, for messages.
class Node {
 public:
  Node(const Json& value, const std::string& file, std::string path)
      : value_(value), file_(file), path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  bool has(const char* field) const { return value_.is_object() && value_.contains(field); }
  Node field(const char* name) const {
    const std::string path = path_.empty() ? name : path_ + "." + name;
    if (!has(name)) fail("{}: {} is missing", file_, path);
    return {value_.at(name), file_, path};
  }
  std::string text() const {
    if (!value_.is_string()) refuse("a string");
    return value_.get<std::string>();
  }
  Index count() const {
    if (!value_.is_number_unsigned()) refuse("a whole number from 0");
    return value_.get<Index>();
  }
  bool flag() const {
    if (!value_.is_boolean()) refuse("true or false");
    return value_.get<bool>();
  }
  template <typename Visit>
  void for_each(Visit&& visit) const {
    if (!value_.is_array()) refuse("a list");
    for (std::size_t i = 0; i < value_.size(); ++i) visit(Node(value_[i], file_, fmt::format("{}[{}]", path_, i)));
  }
  [[noreturn]] void refuse(const char* wanted) const { fail("{}: {} is not {}", file_, path_, wanted); }

 private:
  const Json& value_;
  const std::string& file_;
  std::string path_;
};

class Reader {
 public:
  Reader(std::string path, SquadVersion version, bool has_answers) : version_(version), has_answers_(has_answers) {
    data_.path = std::move(path);
  }

  SquadDataset read(const Json& document) {
    Node(document, data_.path, "").field("data").for_each([&](const Node& article) {
      article.field("paragraphs").for_each([&](const Node& paragraph) { add_paragraph(paragraph); });
    });
    return std::move(data_);
  }

 private:
  void add_paragraph(const Node& paragraph) {
    data_.contexts.push_back(paragraph.field("context").text());
    paragraph.field("qas").for_each([&](const Node& node) { add_question(node); });
  }

  void add_question(const Node& node) {
    Question question{node.field("id").text(), node.field("question").text(), data_.contexts.size() - 1, {},
                      node.path()};
    const auto [other, is_new] = places_.try_emplace(question.id, question.place);
    if (!is_new) fail("{}: {} and {} have the same id \"{}\"", data_.path, other->second, question.place, question.id);
    if (has_answers_) add_answers(node, question);
    data_.questions.push_back(std::move(question));
  }

  void add_answers(const Node& node, Question& question) const {
    node.field("answers").for_each([&](const Node& answer) {
      question.answers.push_back({answer.field("text").text(), answer.field("answer_start").count()});
    });
    if (version_ == SquadVersion::V1 && question.answers.empty())
      fail("{}: {}.answers is empty: a question without an answer belongs to task squad2", data_.path, node.path());
    const bool is_impossible = node.has("is_impossible") && node.field("is_impossible").flag();
    if (is_impossible && !question.answers.empty())
      fail("{}: {} is_impossible, but has answers", data_.path, node.path());
  }

  SquadVersion version_;
  bool has_answers_;
  SquadDataset data_;
  std::unordered_map<std::string, std::string> places_;
};

}  // namespace

std::optional<SquadVersion> squad_version(std::string_view task) {
  if (task == "squad") return SquadVersion::V1;
  if (task == "squad2") return SquadVersion::V2;
  return std::nullopt;
}

SquadDataset read_squad(const std::filesystem::path& file, SquadVersion version, bool has_answers) {
  return Reader(file.string(), version, has_answers).read(read_json(file));
}

}  // namespace fixtune
