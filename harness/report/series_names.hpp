// What rows and curves are called, so that they can be told apart where there is little room.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "harness/compare/short_names.hpp"
#include "harness/report/text_style.hpp"

namespace precipice {

/// The names in at most `width` columns each. Where the width asks for it they lose their middles,
/// then the keys of their options, then their beginnings; different names stay different wherever
/// the number of a name fits into `width`.
std::vector<std::string> fitted_names(const std::vector<std::string>& names, std::size_t width,
                                      const TableStyle& style);

}  // namespace precipice
