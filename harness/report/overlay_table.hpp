// Several runs against one base, as a reader sees them.
#pragma once

#include <string>

#include "harness/compare/changes.hpp"
#include "harness/report/text_style.hpp"

namespace precipice {

/// One table a workload: the base's figure, then each run as a ratio to it, marked where it changed
/// beyond noise. Runs are lettered; A is the base.
std::string overlay_table(const Overlay& overlay, const TableStyle& style);

/// "2 figures higher and 1 lower than A beyond noise, 9 unchanged, 0 unclear": one sentence for any
/// number of runs.
std::string changes_sentence(const ChangeCounts& counts);

}  // namespace precipice
