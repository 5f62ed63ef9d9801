// What `advise --json` prints; docs/advise.md describes the fields.
#pragma once

#include <string>

#include "harness/compare/advice.hpp"
#include "harness/json.hpp"

namespace precipice {

/// `answer`: the sentences, one a line.
Json advice_json(const Advice& advice, const std::string& answer);

}  // namespace precipice
