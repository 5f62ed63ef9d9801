// What rows and curves are called, so that they can be told apart where there is little room.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "harness/report/text_style.hpp"
#include "harness/trial/trial.hpp"

namespace precipice {

/// The short names of the rows that are shown together, in their order: a model that occurs once is
/// its name alone; of one that occurs more often, its name and those options in which its rows
/// differ. Where two would still be equal, both are given in full.
std::vector<std::string> series_names(const std::vector<const Spec*>& rows);

/// The names in at most `width` columns each. Where the width asks for it they lose their middles,
/// then the keys of their options, then their beginnings; different names stay different wherever
/// the number of a name fits into `width`.
std::vector<std::string> fitted_names(const std::vector<std::string>& names, std::size_t width,
                                      const TableStyle& style);

}  // namespace precipice
