#include "table_builder.h"

namespace fixtune {
namespace {

/// Walks the records of a CSV file.
class CsvReader {
 public:
  CsvReader(std::string_view content, const std::string& path) : content_(content), path_(path) {}

  bool at_end() const { return at_ == content_.size(); }
  Index line() const { return line_; }

  /// Steps over a line break if one is next.
  bool skip_line_break() {
    const std::string_view rest = content_.substr(at_);
    const std::size_t length = rest.starts_with("\r\n") ? 2 : rest.starts_with('\n') ? 1 : 0;
    at_ += length;
    line_ += length > 0;
    return length > 0;
  }

  std::vector<std::string> record() {
    std::vector<std::string> fields;
    do {
      fields.push_back(field());
    } while (skip_comma());
    if (!at_end() && !skip_line_break()) fail("{}:{}: text after a closing quote", path_, line_);
    return fields;
  }

 private:
  bool skip_comma() {
    const bool is_comma = !at_end() && content_[at_] == ',';
    at_ += is_comma;
    return is_comma;
  }

  std::string field() {
    if (!at_end() && content_[at_] == '"') return quoted_field();
    const std::size_t begin = at_;
    at_ = std::min(content_.find_first_of(",\n", begin), content_.size());
    if (!at_end() && content_[at_] == '\n' && at_ > begin && content_[at_ - 1] == '\r') --at_;
    return std::string(content_.substr(begin, at_ - begin));
  }

  std::string quoted_field() {
    const Index start = line_;
    std::string text;
    for (++at_; !at_end(); ++at_) {
      const char c = content_[at_];
      if (c == '"' && content_.substr(at_ + 1, 1) != "\"") {
        ++at_;
        return text;
      }
      at_ += c == '"';
      line_ += c == '\n';
      text += c;
    }
    fail("{}:{}: a quoted field has no closing quote", path_, start);
  }

  std::string_view content_;
  const std::string& path_;
  std::size_t at_ = 0;
  Index line_ = 1;
};

}  // namespace

Table parse_csv(std::string_view content, const std::string& path, bool has_header) {
  TableBuilder builder(path, has_header);
  if (content.ends_with('\r')) content.remove_suffix(1);
  CsvReader reader(content, path);
  while (!reader.at_end()) {
    if (reader.skip_line_break()) continue;
    const Index line = reader.line();
    builder.add(reader.record(), line);
  }
  return builder.take();
}

}  // namespace fixtune
