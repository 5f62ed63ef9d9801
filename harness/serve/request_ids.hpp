// Ids for requests that go through policies, whose tables have a place for each: an id is used
// again when its request has ended and every attempt of it as well, and as late as can be; or
// never, where attempts cannot be told from their ids.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

namespace precipice::serve {

/// Thread-safe.
class RequestIds {
 public:
  enum class Reuse : std::uint8_t { when_unused, never };

  RequestIds(std::uint32_t count, Reuse reuse);

  std::uint32_t count() const { return static_cast<std::uint32_t>(states_.size()); }
  /// nullopt: all are in use, or were.
  std::optional<std::uint32_t> take();
  /// The request has ended.
  void ended(std::uint64_t id) noexcept;
  /// An attempt is made, or has ended. Policies that branch number the attempts of each branch
  /// apart, by multiples of count().
  void attempt_begun(std::uint64_t id) noexcept;
  void attempt_ended(std::uint64_t id) noexcept;

 private:
  // Beside the number of attempts under way.
  static constexpr std::uint32_t kRequest = 1U << 31;  ///< the request has not ended
  static constexpr std::uint32_t kFree = 1U << 30;     ///< in the queue

  std::atomic<std::uint32_t>& state(std::uint64_t id) { return states_[id % states_.size()]; }
  /// To the queue, if nothing uses it any more.
  void free_if_unused(std::uint64_t id) noexcept;

  const Reuse reuse_;
  std::vector<std::atomic<std::uint32_t>> states_;
  std::mutex mutex_;
  std::vector<std::uint32_t> queue_;  ///< a ring: first in, first out
  std::size_t first_ = 0, queued_ = 0;
};

}  // namespace precipice::serve
