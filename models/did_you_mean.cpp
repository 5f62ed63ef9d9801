#include "models/did_you_mean.hpp"

#include "models/options.hpp"

namespace precipice {

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string near = nearest_name(word, candidates);
  return near.empty() || near == word ? "" : "; did you mean '" + near + "'?";
}

}  // namespace precipice
