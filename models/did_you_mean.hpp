// What a misspelt word was meant to be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace precipice {

/// "; did you mean 'NAME'?" for the candidate nearest to `word`, to put behind a message; "" when
/// none is near or the word is one of them.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace precipice
