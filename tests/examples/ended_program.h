#pragma once

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>

namespace fixtune {

inline const std::string tiny_bert = std::string(FIXTUNE_FIXTURES) + "/tiny_bert";

struct Ended {
  int code = -1;
  std::string output;  ///< standard output and standard error
};

/// Runs one of the programs as a shell would, under `prefix`.
inline Ended run(const std::string& program, const std::string& arguments, const std::string& input = "/dev/null",
                 const std::string& prefix = "") {
  const std::string command = prefix + std::string(FIXTUNE_PROGRAMS) + "/" + program + " " + arguments + " < " + input + " 2>&1";
  Ended ended;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return ended;
  std::array<char, 4096> block{};
  for (std::size_t n = 0; (n = fread(block.data(), 1, block.size(), pipe)) > 0;) ended.output.append(block.data(), n);
  const int status = pclose(pipe);
  ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ended;
}

/// 24 rows of the tiny model's words; the label is whether w3 is among them.
inline std::string table() {
  std::string text = "text\tlabel\n";
  for (int i = 0; i < 24; ++i)
    text += "w" + std::to_string(4 + i) + (i % 2 == 0 ? " w3\tyes\n" : " w30 w31\tno\n");
  return text;
}

/// Contexts of the tiny model's words; w3 answers every question but, in the second edition, every third.
inline std::string questions(int count, bool all_answered) {
  std::string text = R"({"version": "made up", "data": [{"title": "t", "paragraphs": [)";
  for (int i = 0; i < count; ++i) {
    const bool answered = all_answered || i % 3 != 0;
    const std::string start = "w" + std::to_string(10 + i % 20) + " w12 ";
    text += std::string(i == 0 ? "" : ",") + R"({"context": ")" + start + (answered ? "w3" : "w13") + R"( w14 w15", "qas": [{"id": "q)" +
            std::to_string(i) + R"(", "question": "w1 w2", "answers": [)" +
            (answered ? R"({"text": "w3", "answer_start": )" + std::to_string(start.size()) + "}" : "") + "]}]}";
  }
  return text + "]}]}";
}

}  // namespace fixtune
