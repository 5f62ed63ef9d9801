// A policy: a Model around a Model. It delays, merges, splits, repeats or refuses requests, and the
// model inside executes what it hands on. Outward it keeps the promise of every model: each
// accepted request ends exactly once. Inward it makes 0..n attempts of a request, each of which the
// model inside ends exactly once.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/admission.hpp"
#include "models/model.hpp"
#include "models/options.hpp"
#include "models/policies/timeline.hpp"

namespace precipice {

/// How many attempts of one request there are at the innermost layer, at most.
class AttemptWidth {
 public:
  virtual ~AttemptWidth() = default;
  virtual std::uint32_t total_width() const = 0;
};

/// What all policies share: admission, the way of a request outwards and inwards, shutdown. One
/// overrides what it does otherwise than to pass every request through.
///
/// Requests are numbered so that every attempt is known to each layer: `id` stays what it is (a
/// policy that merges requests gives new ones), and where a policy makes up to `width()` attempts
/// of a request its own attempt k of outer attempt a is number a x width() + k inside. So
/// `place(request)` is a dense index of what this policy holds of a request.
class Policy : public Model, public AttemptWidth {
 public:
  /// `inner` and `timeline` may be null in a policy that is made to check its options only.
  Policy(std::unique_ptr<Model> inner, Timeline* timeline);
  ~Policy() override;

  unsigned executors(const CpuSet& cpus) const final { return inner_->executors(cpus); }
  void start(const ModelSetup& setup) final;
  Refusal submit(const Request& request) noexcept final;
  void shutdown(Time deadline) noexcept final;
  std::uint64_t in_flight() const noexcept final { return admission_.count(); }
  /// Those of the model inside, and own_stats().
  ModelStats stats() const final;

  /// The shortest time that the policy waits for, which its timers have to meet; nullopt: none.
  virtual std::optional<Nanos> shortest_time() const { return std::nullopt; }
  /// Why it cannot be of use under a bound on the response, with the cure; "": it can.
  virtual std::string contradiction(Nanos /*slo*/) const { return ""; }
  std::uint32_t total_width() const final;
  /// The same up to a layer further in.
  std::uint32_t width_until(const Model& inner) const {
    const auto* next = dynamic_cast<const Policy*>(inner_.get());
    return width() * (inner_.get() == &inner || next == nullptr ? 1 : next->width_until(inner));
  }
  /// Attempts that it makes of one request at most.
  virtual std::uint32_t width() const { return 1; }

 protected:
  /// How many ids there are, and attempts of each.
  struct Numbers {
    std::uint64_t requests = 0;
    std::uint32_t attempts = 1;
  };
  /// Sizes tables for the outer requests; returns the numbers inside. Throws std::bad_alloc, or
  /// what a start may throw.
  virtual Numbers prepare(const ModelSetup& outer) {
    return {outer.requests, outer.attempts * width()};
  }
  /// An outer request. Anything but none: refused, nothing else may happen to it.
  virtual Refusal offer(const Request& request) noexcept { return hand_on(request); }
  /// An attempt inside has ended, or was refused. Ends or refuses outer requests, or makes further
  /// attempts. `ended` returns whether its outcome was of use.
  virtual bool ended(const Request& inside, const Outcome& outcome) noexcept;
  virtual void refused(const Request& inside, Refusal why) noexcept;
  /// The work of an attempt. `request.attempt` is the number of the innermost layer.
  virtual Task<Outcome> attempt(Io& io, const Request& request);
  virtual Task<void> attempt_many(Io& io, std::span<const Request> requests,
                                  std::span<Outcome> outcomes);
  /// Called by shutdown, before and after the inner model's shutdown, when nothing is in flight or
  /// the deadline has passed: refuses (shutdown) outer requests of which no attempt is inside, and
  /// makes no further attempt. No timer of this policy runs any more.
  virtual void stop() noexcept {}
  virtual ModelStats own_stats() const { return {}; }

  /// Inwards. Never while a lock is held: ends may come from within.
  Refusal hand_on(const Request& inside) noexcept { return inner_->submit(inside); }
  /// Outwards, once for each accepted request.
  bool end(const Request& outer, const Outcome& outcome) noexcept;
  void refuse(const Request& outer, Refusal why) noexcept;

  Request outer_of(const Request& inside) const {
    Request outer = inside;
    outer.attempt = static_cast<std::uint16_t>(outer.attempt / width_);
    return outer;
  }
  std::uint32_t own_attempt(const Request& inside) const { return inside.attempt % width_; }
  /// As inside_of numbered it, from the number of the innermost layer.
  Request inside_of_innermost(const Request& innermost) const {
    Request inside = innermost;
    inside.attempt = static_cast<std::uint16_t>(inside.attempt / width_further_in_);
    return inside;
  }
  Request inside_of(const Request& outer, std::uint32_t k) const {
    Request inside = outer;
    inside.attempt = static_cast<std::uint16_t>(outer.attempt * width_ + k);
    return inside;
  }
  /// Attempts at the innermost layer of one attempt of this policy's, at most.
  std::uint32_t width_further_in() const { return width_further_in_; }
  std::size_t place(const Request& outer) const {
    return static_cast<std::size_t>(outer.attempt) * requests_ + outer.id;
  }

  Timeline& timeline() const { return *timeline_; }
  /// After the deadline of a shutdown: no further attempts.
  bool stopping() const { return stopping_.load(std::memory_order_acquire); }
  const Job& outer_job() const { return outer_; }

 private:
  Job inner_job();
  std::unique_ptr<Model> inner_;
  Timeline* const timeline_;
  Admission admission_;
  Job outer_;
  std::uint64_t requests_ = 0;
  std::uint32_t width_ = 1, width_further_in_ = 1;
  std::atomic<bool> stopping_{false};
  bool started_ = false;
};

struct PolicyInfo {
  std::string_view name;
  std::string_view summary;  ///< one line: what becomes of a request
  std::vector<OptionKey> options;
  /// Throws UsageError.
  std::unique_ptr<Policy> (*make)(const Options&, std::unique_ptr<Model> inner, Timeline*);
};

/// All policies, in the order in which they are listed.
const std::vector<PolicyInfo>& policies();
/// Throws UsageError with "did you mean".
const PolicyInfo& policy_named(std::string_view name);

}  // namespace precipice
