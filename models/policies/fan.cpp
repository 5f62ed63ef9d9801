// fan: a request is sent `out` times, as to so many leaves, and ends with the `need`-th answer.
#include <fmt/format.h>

#include <atomic>
#include <limits>
#include <memory>
#include <utility>

#include "models/policies/policy.hpp"

namespace precipice {
namespace {

class Fan final : public Policy {
 public:
  Fan(const Options& options, std::unique_ptr<Model> inner, Timeline* timeline)
      : Policy(std::move(inner), timeline),
        out_(static_cast<std::uint32_t>(options.count("out", 1, kMostOut))),
        need_(options.given("need") ? static_cast<std::uint32_t>(options.count("need", 1, kMostOut))
                                    : out_),
        to_replicas_(options.choice("to", {"any", "replicas"}) == "replicas") {
    if (need_ > out_)
      throw UsageError(fmt::format("fan: need={} is more than out={}", need_, out_));
    if (to_replicas_ && out_ > kMostReplicas) {
      throw UsageError(fmt::format("fan: to=replicas reaches {} of them, and out={} is more",
                                   kMostReplicas, out_));
    }
  }

  std::uint32_t width() const override { return out_; }

 protected:
  Numbers prepare(const ModelSetup& outer) override {
    states_ = std::make_unique<std::atomic<std::uint32_t>[]>(outer.requests * outer.attempts);
    return Policy::prepare(outer);
  }

  Refusal offer(const Request& request) noexcept override {
    states_[place(request)].store(0, std::memory_order_relaxed);
    for (std::uint32_t k = 0; k < out_; ++k) {
      Request inside = inside_of(request, k);
      if (to_replicas_) inside.replica = static_cast<std::uint8_t>(k + 1);
      const Refusal why = hand_on(inside);
      if (why != Refusal::none) refused(inside, why);
    }
    return Refusal::none;
  }
  bool ended(const Request& inside, const Outcome& outcome) noexcept override {
    const Request outer = outer_of(inside);
    const std::uint32_t one = outcome.succeeded() ? 1 : kFailed;
    const std::uint32_t before = states_[place(outer)].fetch_add(one, std::memory_order_acq_rel);
    if (!decides(before, before + one)) return outcome.succeeded() && !decided(before);
    return end(outer, outcome);
  }
  void refused(const Request& inside, Refusal why) noexcept override {
    const Request outer = outer_of(inside);
    const std::uint32_t before =
        states_[place(outer)].fetch_add(kFailed, std::memory_order_acq_rel);
    if (decides(before, before + kFailed)) refuse(outer, why);
  }

 private:
  static constexpr std::uint64_t kMostOut = 1000;
  static constexpr std::uint32_t kMostReplicas =
      std::numeric_limits<decltype(Request::replica)>::max();
  static constexpr std::uint32_t kFailed = 1U << 16;  ///< failures above, successes below

  bool decided(std::uint32_t state) const {
    return (state & (kFailed - 1)) >= need_ || (state >> 16) > out_ - need_;
  }
  /// The one end that is the last that the request needs, or that leaves too few.
  bool decides(std::uint32_t before, std::uint32_t after) const {
    return !decided(before) && decided(after);
  }

  const std::uint32_t out_, need_;
  const bool to_replicas_;
  std::unique_ptr<std::atomic<std::uint32_t>[]> states_;
};

}  // namespace

PolicyInfo fan_policy() {
  return {.name = "fan",
          .summary = "sends a request several times at once, and ends with the last answer needed",
          .options = {{"out", "2", "attempts of each request, 1 to 1000"},
                      {"need", "", "answers that end the request; unset, all of them"},
                      {"to", "any",
                       "any: wherever the model sends them; replicas: attempt k goes to replica k, "
                       "as a write does that all replicas need"}},
          .make = [](const Options& options, std::unique_ptr<Model> inner,
                     Timeline* timeline) -> std::unique_ptr<Policy> {
            return std::make_unique<Fan>(options, std::move(inner), timeline);
          }};
}

}  // namespace precipice
