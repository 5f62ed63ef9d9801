// What the models that are shown together are called.
#pragma once

#include <string>
#include <vector>

#include "harness/trial/trial.hpp"

namespace precipice {

/// The short names of the rows that are shown together, in their order: a model that occurs once is
/// its name alone; of one that occurs more often, its name and those options in which its rows
/// differ. Where two would still be equal, both are given in full.
std::vector<std::string> series_names(const std::vector<const Spec*>& rows);

/// `fixed_pool threads=8 stack=1MiB` -> `fixed_pool 8 1MiB`.
std::string without_keys(const std::string& name);

}  // namespace precipice
