// Requests that each wait the same time: in the order in which they came, with one timer for all.
#pragma once

#include <algorithm>
#include <deque>
#include <mutex>
#include <new>
#include <optional>

#include "models/policies/timeline.hpp"
#include "models/request.hpp"

namespace precipice {

/// Calls `due` on the timeline's thread for every request whose time has come, and skips those that
/// nobody needs any more, for which no timer is set. 32 bytes a request that waits. Thread-safe.
class DelayLine {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual bool needed(const Request& request) const noexcept = 0;
    virtual void due(const Request& request) noexcept = 0;
  };

  /// `timeline` may be null as long as nothing is added.
  DelayLine(Timeline* timeline, Owner& owner) : timeline_(timeline), owner_(owner) {}

  /// False when there is no memory. A time before that of a request that came earlier is taken as
  /// that one's.
  bool add(const Request& request, Time due) noexcept {
    const std::lock_guard lock(mutex_);
    if (!waiting_.empty()) due = std::max(due, waiting_.back().due);
    try {
      waiting_.push_back({request, due});
    } catch (const std::bad_alloc&) {
      return false;
    }
    if (!armed_) armed_ = timeline_->at(due, {&DelayLine::ring, this, 0});
    return true;
  }
  /// Drops all, after which no `due` runs or will.
  void clear() noexcept {
    timeline_->drop(this);
    const std::lock_guard lock(mutex_);
    waiting_.clear();
    armed_ = false;
  }

 private:
  struct Waiting {
    Request request;
    Time due;
  };

  static void ring(void* self, std::uint64_t) noexcept { static_cast<DelayLine*>(self)->serve(); }
  void serve() noexcept {
    while (const auto next = take()) owner_.due(*next);
  }
  /// The next one that is due and needed; else sets the timer for the first that will be.
  std::optional<Request> take() noexcept {
    const std::lock_guard lock(mutex_);
    while (!waiting_.empty()) {
      const Waiting first = waiting_.front();
      if (owner_.needed(first.request)) {
        if (timeline_->now() < first.due) {
          armed_ = timeline_->at(first.due, {&DelayLine::ring, this, 0});
          return std::nullopt;
        }
        waiting_.pop_front();
        return first.request;
      }
      waiting_.pop_front();
    }
    armed_ = false;
    return std::nullopt;
  }

  Timeline* const timeline_;
  Owner& owner_;
  std::mutex mutex_;
  std::deque<Waiting> waiting_;
  bool armed_ = false;
};

}  // namespace precipice
