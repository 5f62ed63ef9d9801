// A verdict in one line.
#pragma once

#include <cstddef>
#include <string>

#include "harness/compare/verdict.hpp"

namespace precipice {

inline constexpr std::size_t kVerdictWidth = 100;

/// `cpu 1ms, p99 <= 10.1ms: event_loop, io_uring alike (760/s +-3%); fixed_pool 0.71x`, in at most
/// `width` columns (at least 40). The figure in parentheses is that of the first model, with half
/// of its 95% interval; a share is of the same model. What there is no room for goes from the end:
/// models become "and 3 more", then names lose their middles. `utf8`: otherwise ASCII, as far as
/// names are.
std::string verdict_sentence(const WorkloadVerdict& verdict, std::size_t width = kVerdictWidth,
                             bool utf8 = false);

}  // namespace precipice
