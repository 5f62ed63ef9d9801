#include "harness/trial/generator.hpp"

#include <algorithm>
#include <atomic>
#include <ctime>
#include <limits>
#include <vector>

#include "harness/trial/arrivals.hpp"
#include "models/policies/timer_thread.hpp"

namespace precipice {
namespace {

// However far the next arrival is: a signal that lands between a look at the wish to stop and the
// sleep wakes nobody.
constexpr std::int64_t kLookNs = 100'000'000;

void sleep_until(std::int64_t at_ns) {
  const timespec until{at_ns / 1'000'000'000, at_ns % 1'000'000'000};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
}

/// While it lives, this thread looks at the timers of policies.
class Attendance {
 public:
  explicit Attendance(TimerThread* timers) : timers_(timers) {
    if (timers_ != nullptr) timers_->attend_from(0);
  }
  Attendance(const Attendance&) = delete;
  Attendance& operator=(const Attendance&) = delete;
  ~Attendance() {
    if (timers_ != nullptr) timers_->attend_from(TimerThread::kNever);
  }

 private:
  TimerThread* const timers_;
};

}  // namespace

std::size_t offer(Model& model, std::span<const std::int64_t> intended_ns,
                  std::uint64_t schedule_seed, Time epoch, Slots& slots,
                  InFlightIntegral& in_flight, const GeneratorOptions& options) {
  const std::int64_t epoch_ns = epoch.time_since_epoch().count();
  const std::int64_t margin_ns = options.margin.count();
  std::int64_t now = monotonic_ns() - epoch_ns;
  std::int64_t woke = now;
  InFlightIntegral::Entrance entrance(in_flight);
  const WakeUpPrecedence precedence(options.precedence);
  const auto stopped = [&] {
    return options.stop != nullptr && options.stop->load(std::memory_order_relaxed);
  };

  TimerThread* const timers = options.timers;
  // The timers of policies that are due before the next arrival are called by this thread, which
  // looks at the clock anyway.
  const auto serve_timers = [&] {
    if (timers != nullptr && now + epoch_ns >= timers->next_ns()) {
      timers->serve_due();
      now = monotonic_ns() - epoch_ns;
    }
  };
  // When this thread has something to do next: an arrival or a timer.
  const auto next_event = [&](std::int64_t due) {
    return timers == nullptr ? due : std::min(due, timers->next_ns() - epoch_ns);
  };
  const auto sleep_to = [&](std::int64_t at_ns) {
    if (timers != nullptr) timers->attend_from(at_ns);
    sleep_until(at_ns);
  };
  const Attendance attendance(timers);

  for (std::size_t id = 0; id < intended_ns.size(); ++id) {
    const std::int64_t due = intended_ns[id];
    if ((id & 1023) == 0 && stopped()) return id;
    if (options.backend != nullptr) {
      do {
        if (now < due && stopped()) return id;
        options.backend->serve_until(epoch + Nanos(std::min(due, now + kLookNs)),
                                     options.spin_margin());
        now = monotonic_ns() - epoch_ns;
      } while (now < due);
    }
    while (now < due) {
      if (!options.spin) {
        if (stopped()) return id;
        const std::int64_t at = std::max(due, woke + options.wake_ups_apart.count());
        sleep_to(epoch_ns + std::min(next_event(at), now + kLookNs));
      } else if (next_event(due) - now > margin_ns) {
        if (stopped()) return id;
        sleep_to(epoch_ns + std::min(next_event(due) - margin_ns, now + kLookNs));
      }
      woke = now = monotonic_ns() - epoch_ns;
      serve_timers();
    }
    serve_timers();
    if (now > options.give_up_ns) return id;

    Sent& sent = slots.sent(id);
    sent.dispatch_ns = now;
    entrance.enter(now);
    Request request{
        .id = id, .seed = request_seed(schedule_seed, id), .intended = epoch + Nanos(due)};
    if (options.classes != nullptr) request.priority = options.classes->class_of(id);
    const Refusal refusal = model.submit(request);
    const std::int64_t after = monotonic_ns() - epoch_ns;
    sent.submit_ns = static_cast<std::int32_t>(
        std::min<std::int64_t>(after - now, std::numeric_limits<std::int32_t>::max()));
    if (refusal != Refusal::none) {
      sent.shed = true;
      slots.refuse(id, after, refusal);
      // Taken back at the time it was entered: a refused request was never in flight.
      in_flight.leave(now);
    }
    now = after;
  }
  return intended_ns.size();
}

Nanos spin_margin() {
  constexpr int kSleeps = 50;
  constexpr std::int64_t kLengthNs = 200'000;
  std::vector<std::int64_t> late;
  for (int i = 0; i < kSleeps; ++i) {
    const std::int64_t due = monotonic_ns() + kLengthNs;
    sleep_until(due);
    late.push_back(monotonic_ns() - due);
  }
  std::sort(late.begin(), late.end());
  return Nanos(std::clamp<std::int64_t>(2 * late[kSleeps - 2], 100'000, 2'000'000));
}

}  // namespace precipice
