#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

/// Fine-tuning of BERT on CPUs, its linear layers in integer arithmetic.
namespace fixtune {

/// An input, option or number the library refuses; the message names the file, line, tensor or option.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws Error with a message formatted by fmt.
template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace fixtune
