// When a policy acts: later, on one thread, on the clock of the trial.
#pragma once

#include <cstdint>
#include <functional>

#include "models/request.hpp"

namespace precipice {

/// A clock with timers. On the real clock one pinned thread calls them; on the virtual clock the
/// simulation does. Thread-safe.
class Timeline {
 public:
  /// A plain function, so that a timer costs 40 bytes and no allocation of its own.
  struct Timer {
    void (*due)(void* context, std::uint64_t argument) noexcept = nullptr;
    void* context = nullptr;
    std::uint64_t argument = 0;
  };

  Timeline() = default;
  Timeline(const Timeline&) = delete;
  Timeline& operator=(const Timeline&) = delete;
  virtual ~Timeline() = default;

  virtual Time now() const noexcept = 0;
  /// Calls the timer once at `when` or later, never from within this call. False when there is no
  /// memory for it: it will not be called then.
  virtual bool at(Time when, const Timer& timer) noexcept = 0;
  /// Drops the timers of this context. When it returns, none of them runs or will.
  virtual void drop(const void* context) noexcept = 0;
  /// Lets time pass until `done` holds (true) or `deadline` has come (false).
  virtual bool wait_until(Time deadline, const std::function<bool()>& done) = 0;
};

}  // namespace precipice
