// queue: at most `running` requests are in the model; the others wait here, in an order and with
// deadlines of one's own.
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include "models/policies/policy.hpp"

namespace precipice {
namespace {

struct QueueSettings {
  enum class Order : std::uint8_t { fifo, lifo, adaptive_lifo, priority };
  enum class Drop : std::uint8_t { none, deadline, codel };

  std::uint64_t running = 1;
  Order order = Order::fifo;
  Drop drop = Drop::none;
  Nanos deadline{0}, target{0}, interval{0};

  static QueueSettings read(const Options& options) {
    QueueSettings result;
    if (!options.given("running")) {
      throw UsageError(
          "queue: running=N is missing: how many requests the model gets at once, as in "
          "running=64; "
          "no number fits every model");
    }
    result.running = options.count("running", 1, 1'000'000);
    const std::string order =
        options.choice("order", {"fifo", "lifo", "adaptive_lifo", "priority"});
    result.order = order == "lifo"            ? Order::lifo
                   : order == "adaptive_lifo" ? Order::adaptive_lifo
                   : order == "priority"      ? Order::priority
                                              : Order::fifo;
    const std::string drop = options.choice("drop", {"none", "deadline", "codel"});
    result.drop = drop == "deadline" ? Drop::deadline : drop == "codel" ? Drop::codel : Drop::none;
    if ((result.drop == Drop::deadline) != options.given("deadline")) {
      throw UsageError(result.drop == Drop::deadline
                           ? "queue: drop=deadline needs deadline=DURATION"
                           : "queue: deadline belongs to drop=deadline; add that, or leave it out");
    }
    if (result.drop == Drop::deadline) result.deadline = options.duration("deadline");
    result.target = options.duration("target");
    result.interval = options.duration("interval");
    if (result.target >= result.interval)
      throw UsageError("queue: target must be shorter than interval");
    return result;
  }
};

class Queue final : public Policy {
 public:
  Queue(const Options& options, std::unique_ptr<Model> inner, Timeline* timeline)
      : Policy(std::move(inner), timeline), settings_(QueueSettings::read(options)) {}

 protected:
  Refusal offer(const Request& request) noexcept override {
    {
      const std::lock_guard lock(mutex_);
      const Time now = timeline().now();
      if (waiting_ == 0) empty_at_ = now;
      if (inside_ >= settings_.running) {
        return join(request, now);
      }
      ++inside_;
    }
    const Refusal why = hand_on(request);
    if (why != Refusal::none) go_on();
    return why;
  }
  bool ended(const Request& inside, const Outcome& outcome) noexcept override {
    const bool of_use = Policy::ended(inside, outcome);
    go_on();
    return of_use;
  }
  void refused(const Request& inside, Refusal why) noexcept override {
    Policy::refused(inside, why);
    go_on();
  }

  void stop() noexcept override {
    std::vector<std::deque<Waiting>> left;
    {
      const std::lock_guard lock(mutex_);
      left.swap(lanes_);
      waiting_ = 0;
    }
    for (const std::deque<Waiting>& lane : left) {
      for (const Waiting& each : lane) refuse(each.request, Refusal::shutdown);
    }
  }

  ModelStats own_stats() const override {
    const std::lock_guard lock(mutex_);
    return {{"dropped", dropped_}, {"queued", static_cast<double>(waiting_)}};
  }

 private:
  struct Waiting {
    Request request;
    Time since;
  };
  struct Next {
    Request request;
    bool dropped = false;
  };

  /// One has left the model: the next one enters.
  void go_on() noexcept {
    {
      const std::lock_guard lock(mutex_);
      --inside_;
    }
    // A loop, since what is refused at once leaves at once.
    while (const std::optional<Next> next = take()) {
      if (next->dropped) {
        refuse(next->request, Refusal::deadline);
        continue;
      }
      const Refusal why = hand_on(next->request);
      if (why == Refusal::none) continue;
      {
        const std::lock_guard lock(mutex_);
        --inside_;
      }
      refuse(next->request, why);
    }
  }
  Refusal join(const Request& request, Time now) noexcept {
    const std::size_t lane =
        settings_.order == QueueSettings::Order::priority ? request.priority : 0;
    try {
      if (lanes_.size() <= lane) lanes_.resize(lane + 1);
      lanes_[lane].push_back({request, now});
    } catch (const std::bad_alloc&) {
      return Refusal::memory;
    }
    ++waiting_;
    return Refusal::none;
  }
  std::optional<Next> take() noexcept {
    const std::lock_guard lock(mutex_);
    if (waiting_ == 0 || inside_ >= settings_.running || stopping()) return std::nullopt;
    const Time now = timeline().now();
    const bool newest = settings_.order == QueueSettings::Order::lifo ||
                        (settings_.order == QueueSettings::Order::adaptive_lifo && stands(now));
    std::deque<Waiting>& lane =
        *std::find_if(lanes_.begin(), lanes_.end(),
                      [](const std::deque<Waiting>& each) { return !each.empty(); });
    // What has waited too long stands at the old end whatever the order is.
    const bool too_old = now - lane.front().since > patience(now);
    const Waiting taken = newest && !too_old ? lane.back() : lane.front();
    if (newest && !too_old) {
      lane.pop_back();
    } else {
      lane.pop_front();
    }
    if (--waiting_ == 0) empty_at_ = now;
    if (too_old) {
      dropped_ += 1;
    } else {
      ++inside_;
    }
    return Next{taken.request, too_old};
  }
  /// The queue has not been empty for an interval: an overload, and no burst.
  bool stands(Time now) const noexcept { return now - empty_at_ > settings_.interval; }
  /// How long a request may wait. codel as Maurer has it (Fail at Scale, ACM Queue 13(8), 2015):
  /// the interval, and the target once the queue stands.
  Nanos patience(Time now) const noexcept {
    switch (settings_.drop) {
      case QueueSettings::Drop::deadline:
        return settings_.deadline;
      case QueueSettings::Drop::codel:
        return stands(now) ? settings_.target : settings_.interval;
      case QueueSettings::Drop::none:
        break;
    }
    return Nanos::max();
  }

  const QueueSettings settings_;
  mutable std::mutex mutex_;
  std::vector<std::deque<Waiting>> lanes_;  ///< the oldest first; one, or one a class
  std::size_t waiting_ = 0;                 ///< in all of them
  std::uint64_t inside_ = 0;
  Time empty_at_{};  ///< when nobody waited, for the last time
  double dropped_ = 0;
};

}  // namespace

PolicyInfo queue_policy() {
  return {
      .name = "queue",
      .summary = "keeps requests before the model, in an order and with deadlines of its own",
      .options = {{"running", "", "most requests in the model at once, 1 to 1000000; required"},
                  {"order", "fifo",
                   "fifo, lifo, priority (the first class of the suite before the second), or "
                   "adaptive_lifo: lifo once the queue has not been empty for an "
                   "interval"},
                  {"drop", "none",
                   "which requests are refused when their turn comes: none, deadline, or codel"},
                  {"deadline", "", "drop=deadline: the longest wait"},
                  {"target", "5ms",
                   "drop=codel: the longest wait once the queue has not been empty for an "
                   "interval (5ms and 100ms are Facebook's)"},
                  {"interval", "100ms", "codel and adaptive_lifo: see there"}},
      .make = [](const Options& options, std::unique_ptr<Model> inner,
                 Timeline* timeline) -> std::unique_ptr<Policy> {
        return std::make_unique<Queue>(options, std::move(inner), timeline);
      }};
}

}  // namespace precipice
