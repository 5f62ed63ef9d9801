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
///
/// Time and count share one word, because a locked addition is most of what a step costs: the sum
/// of times above, in units of 2 ns (right up to 7 x 10^7 request-seconds), N modulo 256 below.
/// Both ends of a stay are rounded alike, so that the rounding loses nothing on average.
class InFlightIntegral {
 public:
  void enter(std::int64_t at_ns) noexcept { add(-word(at_ns)); }
  void leave(std::int64_t at_ns) noexcept { add(word(at_ns)); }

  /// A time as the steps take it, for a second record that is to be compared with this one.
  static std::int64_t rounded(std::int64_t at_ns) noexcept {
    return at_ns >> kUnitBits << kUnitBits;
  }

  /// Steps up of one thread, added without locks and handed over when it ends.
  class Entrance {
   public:
    explicit Entrance(InFlightIntegral& integral) : integral_(integral) {}
    Entrance(const Entrance&) = delete;
    Entrance& operator=(const Entrance&) = delete;
    ~Entrance() { integral_.add(sum_); }
    void enter(std::int64_t at_ns) noexcept { sum_ -= word(at_ns); }

   private:
    InFlightIntegral& integral_;
    std::uint64_t sum_ = 0;
  };

  /// Exact when every step has happened; N is then 0.
  double integral_ns() const noexcept {
    const std::uint64_t sum = total() + kCountMask / 2;
    return static_cast<double>(static_cast<std::int64_t>(sum) >> kCountBits) * (1 << kUnitBits);
  }
  /// How many are in flight, if fewer than 128 either way; what matters is whether it is 0.
  std::int64_t in_flight() const noexcept {
    const auto low = static_cast<std::int64_t>(-total() & kCountMask);
    return low > static_cast<std::int64_t>(kCountMask / 2)
               ? low - static_cast<std::int64_t>(kCountMask + 1)
               : low;
  }

 private:
  static constexpr int kUnitBits = 1;  // 2 ns
  static constexpr int kCountBits = 8;
  static constexpr std::uint64_t kCountMask = (std::uint64_t{1} << kCountBits) - 1;

  struct alignas(64) Shard {
    std::atomic<std::uint64_t> sum{0};
  };

  static std::uint64_t word(std::int64_t at_ns) noexcept {
    return (static_cast<std::uint64_t>(at_ns >> kUnitBits) << kCountBits) + 1;
  }
  void add(std::uint64_t words) noexcept {
    shards_[static_cast<unsigned>(sched_getcpu()) % kShards].sum.fetch_add(
        words, std::memory_order_relaxed);
  }
  std::uint64_t total() const noexcept {
    std::uint64_t sum = 0;
    for (const Shard& shard : shards_) sum += shard.sum.load(std::memory_order_relaxed);
    return sum;
  }

  static constexpr unsigned kShards = 64;
  std::array<Shard, kShards> shards_{};
};

}  // namespace precipice
