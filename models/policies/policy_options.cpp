#include "models/policies/policy_options.hpp"

#include <fmt/format.h>

#include <string>

namespace precipice {

double share_option(const Options& options, std::string_view component, std::string_view key) {
  const std::string what = fmt::format("{}: {}", component, key);
  std::string_view text = options.text(key);
  double scale = 1;
  if (text.ends_with('%')) {
    text.remove_suffix(1);
    scale = 0.01;
  }
  const double share = scale * parse_number(text, what);
  if (!(share >= 0 && share <= 1)) {
    throw UsageError(fmt::format("{}={} is no share from 0% to 100%, as in {}=5%", what,
                                 options.text(key), key));
  }
  return share;
}

}  // namespace precipice
