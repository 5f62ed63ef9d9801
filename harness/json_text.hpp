// JSON as text: the one place where a document is serialised.
#pragma once

#include <string>

#include "harness/trial_json.hpp"

namespace precipice {

/// The document as UTF-8, on one line where `indent` is negative. Bytes that are no UTF-8, as a
/// file name or an argument may hold, become U+FFFD: what was measured is kept whatever it is
/// called.
std::string json_text(const Json& json, int indent = -1);

}  // namespace precipice
