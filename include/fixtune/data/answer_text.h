#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fixtune {

/// The words of an answer as SQuAD's official scripts compare them: lowercased, without the ASCII punctuation marks,
/// then without the whole words a, an and the, split at white space.
///
/// Letters, digits and white space are Unicode's, as in Python 3; other marks stay.
/// Source: Rajpurkar et al. 2016, section 6.1; the order of the steps is that of their evaluation script.
std::vector<std::string> answer_words(std::string_view answer);

}  // namespace fixtune
