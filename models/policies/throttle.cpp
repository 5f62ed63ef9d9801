// throttle: the client refuses requests itself when too few of the last ones were accepted, with
// the probability max(0, (R - K A) / (R + 1)) of R requests and A accepted ones (Beyer et al., Site
// Reliability Engineering, 2016, "Handling overload"). So what it sends is at most K times what
// gets through.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

#include "models/policies/policy.hpp"
#include "models/random.hpp"

namespace precipice {
namespace {

class Throttle final : public Policy {
 public:
  Throttle(const Options& options, std::unique_ptr<Model> inner, Timeline* timeline)
      : Policy(std::move(inner), timeline),
        k_(options.number("k", 1, 1000)),
        slot_(options.duration("window") / kSlots) {
    if (slot_ <= Nanos(0)) throw UsageError("throttle: window must be above 0");
  }

 protected:
  Refusal offer(const Request& request) noexcept override {
    {
      const std::lock_guard lock(mutex_);
      move_on();
      const double refuses = (requests_ - k_ * accepted_) / (requests_ + 1);
      Random random(mix64(~request.id) + request.attempt);
      if (random.uniform() < refuses) {
        count(false);
        throttled_ += 1;
        return Refusal::policy;
      }
    }
    const Refusal why = hand_on(request);
    if (why != Refusal::none) known(false);
    return why;
  }
  bool ended(const Request& inside, const Outcome& outcome) noexcept override {
    known(outcome.succeeded());
    return Policy::ended(inside, outcome);
  }
  void refused(const Request& inside, Refusal why) noexcept override {
    known(false);
    Policy::refused(inside, why);
  }

  ModelStats own_stats() const override {
    const std::lock_guard lock(mutex_);
    return {{"throttled", throttled_}};
  }

 private:
  static constexpr int kSlots = 20;
  struct Slot {
    double requests = 0, accepted = 0;
  };

  /// A request counts once its fate is known: those under way would pass for refused ones, and the
  /// first few at once throttle all that follow.
  void known(bool accepted) noexcept {
    const std::lock_guard lock(mutex_);
    move_on();
    count(accepted);
  }
  void count(bool accepted) noexcept {
    requests_ += 1;
    slots_[now_].requests += 1;
    if (!accepted) return;
    accepted_ += 1;
    slots_[now_].accepted += 1;
  }
  /// Forgets the slots that are older than the window.
  void move_on() noexcept {
    const std::int64_t index = timeline().now().time_since_epoch() / slot_;
    if (!known_) at_ = index;
    known_ = true;
    for (std::int64_t steps = std::min<std::int64_t>(index - at_, kSlots); steps > 0; --steps) {
      now_ = (now_ + 1) % kSlots;
      requests_ -= slots_[now_].requests;
      accepted_ -= slots_[now_].accepted;
      slots_[now_] = {};
    }
    at_ = std::max(at_, index);
  }

  const double k_;
  const Nanos slot_;
  mutable std::mutex mutex_;
  std::array<Slot, kSlots> slots_;
  std::size_t now_ = 0;
  std::int64_t at_ = 0;
  bool known_ = false;
  double requests_ = 0, accepted_ = 0, throttled_ = 0;
};

}  // namespace

PolicyInfo throttle_policy() {
  return {.name = "throttle",
          .summary = "refuses requests on the client's side while few are accepted",
          .options = {{"k", "2",
                       "requests sent for each one accepted, 1 to 1000; 2 is what Site Reliability "
                       "Engineering recommends"},
                      {"window", "10s",
                       "over which requests and acceptances count; the book has two minutes, and a "
                       "trial is shorter"}},
          .make = [](const Options& options, std::unique_ptr<Model> inner,
                     Timeline* timeline) -> std::unique_ptr<Policy> {
            return std::make_unique<Throttle>(options, std::move(inner), timeline);
          }};
}

}  // namespace precipice
