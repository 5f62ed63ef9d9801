// The time integral of the number of requests in flight, kept apart from the slots: the other side
// of Little's law.
#pragma once

#include <sched.h>

#include <array>
#include <atomic>
#include <cstdint>

namespace precipice {

/// A counter N(t) that goes up at dispatch and down at completion. Its integral over time is the
/// sum of the times at which it went down less the sum of those at which it went up, exactly, once
/// it is back at zero; so each step adds its time to a sum of its own CPU's and no line is shared.
/// Thread-safe.
class InFlightIntegral {
 public:
  void enter(std::int64_t at_ns) noexcept { add(-at_ns, 1); }
  void leave(std::int64_t at_ns) noexcept { add(at_ns, -1); }

  /// Exact when every step has happened; N is then 0.
  double integral_ns() const noexcept { return static_cast<double>(total(&Shard::moment_ns)); }
  std::int64_t in_flight() const noexcept { return total(&Shard::count); }

 private:
  struct alignas(64) Shard {
    std::atomic<std::int64_t> moment_ns{0};
    std::atomic<std::int64_t> count{0};
  };

  void add(std::int64_t moment_ns, std::int64_t step) noexcept {
    Shard& shard = shards_[static_cast<unsigned>(sched_getcpu()) % kShards];
    shard.moment_ns.fetch_add(moment_ns, std::memory_order_relaxed);
    shard.count.fetch_add(step, std::memory_order_relaxed);
  }
  std::int64_t total(std::atomic<std::int64_t> Shard::*part) const noexcept {
    std::int64_t sum = 0;
    for (const Shard& shard : shards_) sum += (shard.*part).load(std::memory_order_relaxed);
    return sum;
  }

  static constexpr unsigned kShards = 64;
  std::array<Shard, kShards> shards_{};
};

}  // namespace precipice
