// Counts requests and their response times. Each executor, or each of the first threads of a model
// that has one executor for many threads, counts on cache lines of its own, without locked
// instructions.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "harness/http/status.hpp"
#include "models/request.hpp"

namespace precipice::serve {

/// Upper bounds of the response histogram, in ns: 1, 2, 5 and so on, from 1 us to 10 s.
inline constexpr std::array<std::int64_t, 22> kResponseBounds = [] {
  std::array<std::int64_t, 22> bounds{};
  std::int64_t decade = 1000;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    constexpr std::int64_t kSteps[] = {1, 2, 5};
    bounds[i] = kSteps[i % 3] * decade;
    if (i % 3 == 2) decade *= 10;
  }
  return bounds;
}();

/// Sums over all stripes.
struct ServerCounts {
  std::uint64_t requests = 0;   ///< whose head was complete
  std::uint64_t abandoned = 0;  ///< of those, ended without an answer
  std::uint64_t malformed = 0;  ///< heads that were refused; their answers are in by_status
  std::array<std::uint64_t, http::kStatuses.size()> by_status{};
  std::array<std::uint64_t, kResponseBounds.size() + 1> responses{};  ///< the last one: beyond
  std::uint64_t response_sum_ns = 0;

  /// Begun and neither answered nor abandoned.
  std::uint64_t in_flight() const;
  /// Answers to whole requests: what the histogram has.
  std::uint64_t answered() const;
};

/// Thread-safe.
class ServerMetrics {
 public:
  explicit ServerMetrics(unsigned executors);

  void begun(unsigned executor) noexcept;
  void answered(unsigned executor, http::Status status, Nanos response) noexcept;
  void abandoned(unsigned executor) noexcept;
  void malformed(unsigned executor, http::Status status) noexcept;

  /// Not one instant's: counts go on while they are summed.
  ServerCounts sum() const;
  /// Requests of one executor; of all, where the stripes are of threads.
  std::uint64_t requests_on(unsigned executor) const;

 private:
  struct alignas(64) Stripe {
    std::atomic<std::uint64_t> requests{0}, abandoned{0}, malformed{0}, response_sum_ns{0};
    std::array<std::atomic<std::uint64_t>, http::kStatuses.size()> by_status{};
    std::array<std::atomic<std::uint64_t>, kResponseBounds.size() + 1> responses{};
  };

  /// Where this thread counts, and whether no other thread does.
  struct Place {
    Stripe& stripe;
    bool alone;
    void add(std::atomic<std::uint64_t>& count, std::uint64_t more) const noexcept {
      if (alone) {
        count.store(count.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
      } else {
        count.fetch_add(more, std::memory_order_relaxed);
      }
    }
  };
  Place here(unsigned executor) noexcept;

  const unsigned executors_;
  std::vector<Stripe> stripes_;
};

}  // namespace precipice::serve
