// limit: at most so many requests are in the model, and others are refused. The number is fixed, or
// follows what a request's time in the model says of a queue there.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "models/policies/policy.hpp"

namespace precipice {
namespace {

struct LimitSettings {
  enum class Kind : std::uint8_t { fixed, aimd, vegas, gradient };

  Kind kind = Kind::fixed;
  double limit = 20, most = 1000;
  double alpha = 3, beta = 6;  ///< vegas
  Nanos timeout{0};            ///< aimd
  double buffer = 0;           ///< gradient

  static LimitSettings read(const Options& options) {
    LimitSettings result;
    const std::string kind = options.choice("kind", {"fixed", "aimd", "vegas", "gradient"});
    result.kind = kind == "aimd"       ? Kind::aimd
                  : kind == "vegas"    ? Kind::vegas
                  : kind == "gradient" ? Kind::gradient
                                       : Kind::fixed;
    result.limit = static_cast<double>(options.count("limit", 1, 10'000'000));
    result.most = static_cast<double>(options.count("most", 1, 10'000'000));
    result.alpha = options.number("alpha", 1, 1e6);
    result.beta = options.number("beta", 1, 1e6);
    if (result.alpha >= result.beta) throw UsageError("limit: alpha must be below beta");
    result.buffer = options.number("buffer", 0, 10);
    if ((result.kind == Kind::aimd) != options.given("timeout")) {
      throw UsageError(result.kind == Kind::aimd
                           ? "limit: kind=aimd needs timeout=DURATION, beyond which a request says "
                             "that there is too much"
                           : "limit: timeout belongs to kind=aimd");
    }
    if (result.kind == Kind::aimd) result.timeout = options.duration("timeout");
    if (result.kind != Kind::fixed && result.limit > result.most)
      throw UsageError(fmt::format("limit: limit={} is beyond most={}", result.limit, result.most));
    return result;
  }
};

class Limit final : public Policy {
 public:
  Limit(const Options& options, std::unique_ptr<Model> inner, Timeline* timeline)
      : Policy(std::move(inner), timeline),
        settings_(LimitSettings::read(options)),
        exact_limit_(settings_.limit),
        limit_(static_cast<std::int64_t>(settings_.limit)) {}

 protected:
  Numbers prepare(const ModelSetup& outer) override {
    if (adapts()) begun_ns_.resize(outer.requests * outer.attempts);
    return Policy::prepare(outer);
  }

  Refusal offer(const Request& request) noexcept override {
    if (inside_.fetch_add(1, std::memory_order_acq_rel) >= limit_.load(std::memory_order_relaxed)) {
      inside_.fetch_sub(1, std::memory_order_acq_rel);
      return Refusal::policy;
    }
    if (adapts()) begun_ns_[place(request)] = now_ns();
    const Refusal why = hand_on(request);
    if (why != Refusal::none) inside_.fetch_sub(1, std::memory_order_acq_rel);
    return why;
  }
  bool ended(const Request& inside, const Outcome& outcome) noexcept override {
    if (adapts()) learn(begun_ns_[place(inside)], outcome.succeeded());
    inside_.fetch_sub(1, std::memory_order_acq_rel);
    return Policy::ended(inside, outcome);
  }
  void refused(const Request& inside, Refusal why) noexcept override {
    inside_.fetch_sub(1, std::memory_order_acq_rel);
    Policy::refused(inside, why);
  }

  ModelStats own_stats() const override {
    return {{"limit", static_cast<double>(limit_.load(std::memory_order_relaxed))}};
  }

 private:
  bool adapts() const { return settings_.kind != LimitSettings::Kind::fixed; }
  std::int64_t now_ns() const { return timeline().now().time_since_epoch().count(); }

  /// One step for each round of requests that began under the limit as it is: those that began
  /// before tell of another one.
  void learn(std::int64_t begun_ns, bool succeeded) noexcept {
    const std::lock_guard lock(mutex_);
    const std::int64_t now = now_ns();
    const auto took = static_cast<double>(now - begun_ns);
    if (succeeded) shortest_ns_ = std::min(shortest_ns_, took);
    if (begun_ns < changed_ns_) return;
    ++samples_;
    sum_ns_ += took;
    bad_ = bad_ || !succeeded || took > static_cast<double>(settings_.timeout.count());
    used_ = std::max(used_, inside_.load(std::memory_order_relaxed));
    if (samples_ < exact_limit_) return;
    // A limit that nobody has reached says nothing of its own height.
    const bool reached = 2 * used_ > limit_.load(std::memory_order_relaxed);
    step(sum_ns_ / samples_, reached);
    exact_limit_ = std::clamp(exact_limit_, 1.0, settings_.most);
    limit_.store(static_cast<std::int64_t>(exact_limit_), std::memory_order_relaxed);
    changed_ns_ = now;
    samples_ = sum_ns_ = 0;
    used_ = 0;
    bad_ = false;
  }
  void step(double took_ns, bool reached) noexcept {
    const double limit = std::floor(exact_limit_);  // what requests have met
    switch (settings_.kind) {
      case LimitSettings::Kind::aimd:
        if (bad_) {
          exact_limit_ *= 0.9;
        } else if (reached) {
          exact_limit_ += 1;
        }
        break;
      case LimitSettings::Kind::vegas: {
        // What waits there by Little's law (Brakmo and Peterson, TCP Vegas, 1995).
        const double queued = limit * (1 - shortest_ns_ / took_ns);
        if (queued > settings_.beta) {
          exact_limit_ -= 1;
        } else if (queued < settings_.alpha && reached) {
          exact_limit_ += 1;
        }
        break;
      }
      case LimitSettings::Kind::gradient: {
        // As Netflix's concurrency-limits has it: in the ratio of the times, and room for a queue.
        const double ratio = std::clamp((1 + settings_.buffer) * shortest_ns_ / took_ns, 0.5, 1.0);
        const double base = limit * ratio;
        const double next = base + std::sqrt(base);
        if (next < exact_limit_ || reached) exact_limit_ = next;
        break;
      }
      case LimitSettings::Kind::fixed:
        break;
    }
  }

  const LimitSettings settings_;
  std::vector<std::int64_t> begun_ns_;
  std::atomic<std::int64_t> inside_{0};

  std::mutex mutex_;
  double exact_limit_;
  std::atomic<std::int64_t> limit_;
  /// Never forgotten: a minimum of the last minute would drift upwards under an overload that
  /// lasts.
  double shortest_ns_ = std::numeric_limits<double>::infinity();
  std::int64_t changed_ns_ = std::numeric_limits<std::int64_t>::min();
  double samples_ = 0, sum_ns_ = 0;
  std::int64_t used_ = 0;
  bool bad_ = false;
};

}  // namespace

PolicyInfo limit_policy() {
  return {
      .name = "limit",
      .summary = "refuses requests beyond a number in the model, which is fixed or adapts",
      .options =
          {{"kind", "fixed",
            "fixed; aimd: one more a round, a tenth less after a failure or a request beyond "
            "timeout; vegas: alpha to beta requests wait in the model; gradient: the limit follows "
            "the ratio of the shortest time to the present one"},
           {"limit", "20", "the limit, or where an adaptive one begins"},
           {"most", "1000", "the highest that an adaptive limit becomes"},
           {"alpha", "3", "vegas: fewer waiting requests raise the limit"},
           {"beta", "6", "vegas: more waiting requests lower it"},
           {"timeout", "", "aimd: a time in the model that is too long"},
           {"buffer", "0", "gradient: growth of the time that is tolerated, 0.5 for half"}},
      .make = [](const Options& options, std::unique_ptr<Model> inner,
                 Timeline* timeline) -> std::unique_ptr<Policy> {
        return std::make_unique<Limit>(options, std::move(inner), timeline);
      }};
}

}  // namespace precipice
