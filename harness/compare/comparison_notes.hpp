// What a comparison of two cells says beside its figures.
#pragma once

#include <string>
#include <vector>

#include "harness/compare/comparison.hpp"

namespace precipice {

/// Sentences: how the cells were paired, adjusted and held to one SLO, and each figure's remark.
std::vector<std::string> notes_of(const ComparedCell& cell);

}  // namespace precipice
