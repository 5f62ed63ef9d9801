#include "models/spin.hpp"

#include <fmt/format.h>

namespace precipice {

Nanos spin_of(const Options& options) {
  const Nanos spin = options.duration("spin");
  if (spin > kMostSpin) {
    throw UsageError(fmt::format("spin={} is above {}: an executor spins only to bridge a wake-up",
                                 options.text("spin"), format_duration(kMostSpin)));
  }
  return spin;
}

}  // namespace precipice
