// retry: an attempt that has not ended after `timeout`, or has failed, is followed by another. The
// old one runs to its end, as nothing tells the other side to stop, and its answer is discarded.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <queue>
#include <utility>
#include <vector>

#include "models/policies/delay_line.hpp"
#include "models/policies/policy.hpp"
#include "models/policies/policy_options.hpp"
#include "models/policies/token_budget.hpp"
#include "models/random.hpp"

namespace precipice {
namespace {

struct RetrySettings {
  Nanos timeout{0};
  std::uint32_t tries = 1;
  Nanos backoff{0};
  double jitter = 0;
  double budget = 1;

  static RetrySettings read(const Options& options) {
    RetrySettings result;
    result.timeout = options.duration("timeout");
    if (result.timeout <= Nanos(0)) throw UsageError("retry: timeout must be above 0");
    result.tries = static_cast<std::uint32_t>(options.count("tries", 1, 100));
    result.backoff = options.duration("backoff");
    result.jitter = share_option(options, "retry", "jitter");
    result.budget = share_option(options, "retry", "budget");
    return result;
  }
};

class Retry final : public Policy, private DelayLine::Owner {
 public:
  Retry(const Options& options, std::unique_ptr<Model> inner, Timeline* timeline)
      : Policy(std::move(inner), timeline),
        settings_(RetrySettings::read(options)),
        budget_(settings_.budget),
        timeouts_(timeline, *this) {}

  std::uint32_t width() const override { return settings_.tries; }
  std::optional<Nanos> shortest_time() const override {
    return settings_.backoff > Nanos(0) ? std::min(settings_.backoff, settings_.timeout)
                                        : settings_.timeout;
  }

 protected:
  Numbers prepare(const ModelSetup& outer) override {
    states_ = std::make_unique<std::atomic<std::uint32_t>[]>(outer.requests * outer.attempts);
    return Policy::prepare(outer);
  }

  Refusal offer(const Request& request) noexcept override {
    budget_.earn();
    begin(request, 0);
    return Refusal::none;
  }
  bool ended(const Request& inside, const Outcome& outcome) noexcept override {
    const Request outer = outer_of(inside);
    const std::uint32_t k = own_attempt(inside);
    if (!outcome.succeeded()) {
      follow(outer, k, outcome, Refusal::none);
      return false;
    }
    if (!leaves(outer, k, kEnded)) return false;
    return end(outer, outcome);
  }
  void refused(const Request& inside, Refusal why) noexcept override {
    follow(outer_of(inside), own_attempt(inside), Outcome{}, why);
  }

  void stop() noexcept override {
    timeouts_.clear();
    // One by one, since there may be no memory for a list of them.
    for (;;) {
      Later left;
      {
        const std::lock_guard lock(mutex_);
        if (later_.empty()) return;
        left = later_.top();
        later_.pop();
      }
      refuse(left.outer, Refusal::shutdown);
    }
  }

  ModelStats own_stats() const override {
    return {{"retries", static_cast<double>(retries_.load(std::memory_order_relaxed))}};
  }

 private:
  // A request's state: the attempt whose answer counts, or what has become of it.
  static constexpr std::uint32_t kBetween = 1000, kEnded = 1001;

  /// A request that waits before its next attempt.
  struct Later {
    Time when;
    Request outer;
    std::uint32_t k = 0;
    bool operator>(const Later& other) const { return when > other.when; }
  };

  bool leaves(const Request& outer, std::uint32_t k, std::uint32_t next) noexcept {
    return states_[place(outer)].compare_exchange_strong(k, next, std::memory_order_acq_rel);
  }
  void begin(const Request& outer, std::uint32_t k) noexcept {
    states_[place(outer)].store(k, std::memory_order_release);
    const Request inside = inside_of(outer, k);
    const Refusal why = hand_on(inside);
    if (why != Refusal::none) {
      refused(inside, why);
      return;
    }
    timeouts_.add(inside, timeline().now() + settings_.timeout);
  }

  bool needed(const Request& inside) const noexcept override {
    return states_[place(outer_of(inside))].load(std::memory_order_relaxed) == own_attempt(inside);
  }
  void due(const Request& inside) noexcept override {
    follow(outer_of(inside), own_attempt(inside), Outcome::failed(ETIMEDOUT), Refusal::none);
  }

  /// Attempt k has failed, or was refused: another one, or the request ends like it.
  void follow(const Request& outer, std::uint32_t k, const Outcome& outcome, Refusal why) noexcept {
    if (!leaves(outer, k, kBetween)) return;
    if (k + 1 < settings_.tries && !stopping() && budget_.spend()) {
      retries_.fetch_add(1, std::memory_order_relaxed);
      if (settings_.backoff == Nanos(0)) {
        begin(outer, k + 1);
        return;
      }
      if (later(outer, k + 1)) return;
    }
    states_[place(outer)].store(kEnded, std::memory_order_release);
    if (why != Refusal::none) {
      refuse(outer, why);
    } else {
      end(outer, outcome);
    }
  }
  /// After the backoff: twice as long with each try, less a random share (exponential backoff with
  /// jitter).
  bool later(const Request& outer, std::uint32_t k) noexcept {
    Random random(mix64(mix64(outer.id) ^ outer.attempt) + k);
    const double doubled = static_cast<double>(settings_.backoff.count()) *
                           static_cast<double>(1U << std::min(k - 1, 20U));
    const double wait = doubled * (1 - settings_.jitter * random.uniform());
    const Time when = timeline().now() + Nanos(static_cast<std::int64_t>(wait));
    // The timer before the entry, since an entry without one would never begin; with the lock held,
    // since the timer looks for it.
    const std::lock_guard lock(mutex_);
    if (!timeline().at(when, {&Retry::ring, this, 0})) return false;
    try {
      later_.push({when, outer, k});
    } catch (const std::bad_alloc&) {
      return false;
    }
    return true;
  }
  static void ring(void* self, std::uint64_t) noexcept { static_cast<Retry*>(self)->begin_due(); }
  void begin_due() noexcept {
    for (;;) {
      Later next;
      {
        const std::lock_guard lock(mutex_);
        if (later_.empty() || later_.top().when > timeline().now()) return;
        next = later_.top();
        later_.pop();
      }
      begin(next.outer, next.k);
    }
  }

  const RetrySettings settings_;
  TokenBudget budget_;
  DelayLine timeouts_;
  std::unique_ptr<std::atomic<std::uint32_t>[]> states_;
  std::mutex mutex_;
  std::priority_queue<Later, std::vector<Later>, std::greater<>> later_;
  std::atomic<std::uint64_t> retries_{0};
};

}  // namespace

PolicyInfo retry_policy() {
  return {
      .name = "retry",
      .summary = "sends a request again when it times out or fails",
      .options = {{"timeout", "100ms",
                   "how long an attempt's answer is waited for; ten times a call within a data "
                   "centre"},
                  {"tries", "2", "attempts of a request, the first included, 1 to 100"},
                  {"backoff", "0",
                   "wait before the second attempt, twice as long before each further one; 0 is "
                   "at once, as the worst case does it"},
                  {"jitter", "50%", "the share of a backoff that is drawn at random"},
                  {"budget", "100%",
                   "most further attempts as a share of the requests; 100% is no bound"}},
      .make = [](const Options& options, std::unique_ptr<Model> inner,
                 Timeline* timeline) -> std::unique_ptr<Policy> {
        return std::make_unique<Retry>(options, std::move(inner), timeline);
      }};
}

}  // namespace precipice
