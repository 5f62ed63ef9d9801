// The variables that a user may set.
#pragma once

#include <optional>
#include <string>

namespace precipice {

/// The value of `name`; one that is empty counts as not set.
std::optional<std::string> environment_variable(const char* name);

}  // namespace precipice
