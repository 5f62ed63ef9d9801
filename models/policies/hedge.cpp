// hedge: a request that has not ended after some time is sent a second time, and the first answer
// counts (Dean and Barroso, The Tail at Scale, CACM 56(2), 2013). The slower attempt runs to its
// end, unless it is tied: then it is dropped if it has not begun when the other one does.
#include <fmt/format.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "models/log_counts.hpp"
#include "models/policies/delay_line.hpp"
#include "models/policies/policy.hpp"
#include "models/policies/policy_options.hpp"
#include "models/policies/token_budget.hpp"

namespace precipice {
namespace {

struct HedgeSettings {
  Nanos after{0};
  double percentile = 0;  ///< > 0: in place of `after`, this percentile of the responses so far
  double budget = 1;
  bool tied = false;

  static HedgeSettings read(const Options& options) {
    HedgeSettings result;
    const std::string& after = options.text("after");
    if (after.starts_with('p')) {
      result.percentile = parse_number(std::string_view(after).substr(1), "hedge: after");
      if (!(result.percentile >= 50 && result.percentile < 100))
        throw UsageError(fmt::format("hedge: after={} is not between p50 and p99.99", after));
    } else {
      result.after = options.duration("after");
    }
    result.budget = share_option(options, "hedge", "budget");
    result.tied = options.flag("tied");
    return result;
  }
};

class Hedge final : public Policy, private DelayLine::Owner {
 public:
  Hedge(const Options& options, std::unique_ptr<Model> inner, Timeline* timeline)
      : Policy(std::move(inner), timeline),
        settings_(HedgeSettings::read(options)),
        budget_(settings_.budget),
        line_(timeline, *this),
        after_ns_(settings_.percentile > 0 ? kNotKnown : settings_.after.count()) {}

  std::uint32_t width() const override { return 2; }
  std::optional<Nanos> shortest_time() const override {
    return settings_.after > Nanos(0) ? std::optional(settings_.after) : std::nullopt;
  }

 protected:
  Numbers prepare(const ModelSetup& outer) override {
    states_ = std::make_unique<std::atomic<std::uint8_t>[]>(outer.requests * outer.attempts);
    return Policy::prepare(outer);
  }

  Refusal offer(const Request& request) noexcept override {
    std::atomic<std::uint8_t>& state = states_[place(request)];
    state.store(1, std::memory_order_relaxed);
    budget_.earn();
    const Refusal why = hand_on(inside_of(request, 0));
    if (why != Refusal::none) return why;
    const std::int64_t after = after_ns_.load(std::memory_order_relaxed);
    if (after == 0) {
      due(request);
    } else if (after != kNotKnown) {
      line_.add(request, timeline().now() + Nanos(after));
    }
    return Refusal::none;
  }

  Task<Outcome> attempt(Io& io, const Request& request) override {
    if (settings_.tied && !begins(inside_of_innermost(request))) return needless();
    return Policy::attempt(io, request);
  }
  Task<void> attempt_many(Io& io, std::span<const Request> requests,
                          std::span<Outcome> outcomes) override {
    if (settings_.tied) return attempt_each(*this, io, requests, outcomes);
    return Policy::attempt_many(io, requests, outcomes);
  }

  bool ended(const Request& inside, const Outcome& outcome) noexcept override {
    const Request outer = outer_of(inside);
    if (own_attempt(inside) == 0 && outcome.succeeded()) learn(outer);
    const bool decides = outcome.succeeded() ? wins(outer) : last_fails(outer);
    if (!decides) return false;
    // Dropped for one that has failed since.
    return end(outer, outcome.error == Outcome::kNeedless ? Outcome::failed(EIO) : outcome);
  }
  void refused(const Request& inside, Refusal why) noexcept override {
    const Request outer = outer_of(inside);
    if (last_fails(outer)) refuse(outer, why);
  }
  void stop() noexcept override { line_.clear(); }

  ModelStats own_stats() const override {
    return {{"hedged", static_cast<double>(hedged_.load(std::memory_order_relaxed))},
            {"hedge_after_ns", static_cast<double>(after_ns_.load(std::memory_order_relaxed))}};
  }

 private:
  static constexpr std::int64_t kNotKnown = -1;
  // A request's state: its attempts that have not ended, and what has happened.
  static constexpr std::uint8_t kUnderWay = 3, kEnded = 4, kFirstBegan = 8, kSecondBegan = 16;

  bool needed(const Request& outer) const noexcept override {
    return (states_[place(outer)].load(std::memory_order_relaxed) & kEnded) == 0;
  }
  /// The time has come: a second attempt, unless the request has ended.
  void due(const Request& outer) noexcept override {
    std::atomic<std::uint8_t>& state = states_[place(outer)];
    std::uint8_t seen = state.load(std::memory_order_acquire);
    if (stopping() || (seen & kEnded) != 0 || !budget_.spend()) return;
    do {
      if ((seen & kEnded) != 0) return;
    } while (!state.compare_exchange_weak(seen, static_cast<std::uint8_t>(seen + 1),
                                          std::memory_order_acq_rel));
    hedged_.fetch_add(1, std::memory_order_relaxed);
    const Refusal why = hand_on(inside_of(outer, 1));
    if (why != Refusal::none && last_fails(outer)) refuse(outer, why);
  }

  /// An attempt has succeeded: whether it is the first.
  bool wins(const Request& outer) noexcept {
    std::atomic<std::uint8_t>& state = states_[place(outer)];
    std::uint8_t seen = state.load(std::memory_order_acquire);
    while (!state.compare_exchange_weak(seen, static_cast<std::uint8_t>((seen - 1) | kEnded),
                                        std::memory_order_acq_rel)) {
    }
    return (seen & kEnded) == 0;
  }
  /// An attempt has failed: whether no other can succeed any more, and so the request fails.
  bool last_fails(const Request& outer) noexcept {
    std::atomic<std::uint8_t>& state = states_[place(outer)];
    std::uint8_t seen = state.load(std::memory_order_acquire), left = 0;
    do {
      left = static_cast<std::uint8_t>(seen - 1);
      if ((left & kUnderWay) == 0) left |= kEnded;
    } while (!state.compare_exchange_weak(seen, left, std::memory_order_acq_rel));
    return (seen & kEnded) == 0 && (left & kEnded) != 0;
  }
  /// Tied: whether this attempt may begin, as the first of its request.
  bool begins(const Request& inside) noexcept {
    const std::uint8_t own = own_attempt(inside) == 0 ? kFirstBegan : kSecondBegan;
    const std::uint8_t other = kFirstBegan | kSecondBegan;
    const std::uint8_t before =
        states_[place(outer_of(inside))].fetch_or(own, std::memory_order_acq_rel);
    return (before & (other & ~own)) == 0;
  }
  static Task<Outcome> needless() { co_return Outcome::needless(); }
  static Task<void> attempt_each(Hedge& hedge, Io& io, std::span<const Request> requests,
                                 std::span<Outcome> outcomes) {
    for (std::size_t i = 0; i < requests.size(); ++i)
      outcomes[i] = co_await hedge.attempt(io, requests[i]);
  }

  /// The response of a first attempt, from the intended arrival.
  void learn(const Request& outer) noexcept {
    // Of half of these samples each, so that a time that has changed is known after so many.
    constexpr std::uint64_t kFirst = 100, kWindow = 10'000, kEvery = 50;
    if (settings_.percentile == 0) return;
    const std::int64_t took = (timeline().now() - outer.intended).count();
    const std::lock_guard lock(mutex_);
    responses_.add(took);
    if (responses_.total() < kFirst || ++since_ < kEvery) return;
    since_ = 0;
    after_ns_.store(static_cast<std::int64_t>(responses_.percentile(settings_.percentile)),
                    std::memory_order_relaxed);
    if (responses_.total() >= kWindow) responses_.halve();
  }

  const HedgeSettings settings_;
  TokenBudget budget_;
  DelayLine line_;
  std::unique_ptr<std::atomic<std::uint8_t>[]> states_;
  std::atomic<std::int64_t> after_ns_;
  std::atomic<std::uint64_t> hedged_{0};
  std::mutex mutex_;
  LogCounts responses_;
  std::uint64_t since_ = 0;
};

}  // namespace

PolicyInfo hedge_policy() {
  return {.name = "hedge",
          .summary = "sends a request a second time when it takes long; the first answer counts",
          .options = {{"after", "p95",
                       "when: a time, 0 for both at once, or a percentile of the responses so far "
                       "(p50 to p99.99; p95, as The Tail at Scale has it, adds 5% of work)"},
                      {"budget", "100%",
                       "most second attempts as a share of the requests; 100% is no bound"},
                      {"tied", "no", "yes: the attempt that begins second is dropped"}},
          .make = [](const Options& options, std::unique_ptr<Model> inner,
                     Timeline* timeline) -> std::unique_ptr<Policy> {
            return std::make_unique<Hedge>(options, std::move(inner), timeline);
          }};
}

}  // namespace precipice
