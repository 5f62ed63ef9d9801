// In what order the servers of an ideal queue take its requests.
#pragma once

#include <cstdint>
#include <string_view>

namespace precipice {

enum class TwinOrder : std::uint8_t {
  fcfs,     ///< one queue, first come, first served: a loop, a ring, one thread a CPU
  sharing,  ///< processor sharing: n requests share the servers equally, at most one each
  /// An arrival takes the server that has gone on longest with one request, which goes behind those
  /// that were interrupted before: a kernel runs a thread that wakes up in place of one that
  /// computes.
  preemption,
};
inline constexpr TwinOrder kTwinOrders[] = {TwinOrder::fcfs, TwinOrder::sharing,
                                            TwinOrder::preemption};

constexpr std::string_view to_string(TwinOrder order) {
  switch (order) {
    case TwinOrder::fcfs:
      return "fcfs";
    case TwinOrder::sharing:
      return "sharing";
    case TwinOrder::preemption:
      return "preemption";
  }
  return "";
}

}  // namespace precipice
