#include "models/policies/policy.hpp"

#include <fmt/format.h>

#include <limits>
#include <span>
#include <utility>

namespace precipice {
namespace {

// What limits requests in flight is the model inside, or a policy that says so.
constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 62;
constexpr std::uint64_t kMostAttempts = std::numeric_limits<decltype(Request::attempt)>::max();

}  // namespace

Policy::Policy(std::unique_ptr<Model> inner, Timeline* timeline)
    : inner_(std::move(inner)), timeline_(timeline), admission_(kNoLimit) {}

Policy::~Policy() = default;

Job Policy::inner_job() {
  Job job;
  job.context = this;
  job.refuse = [](void* self, const Request& request, Refusal why) noexcept {
    static_cast<Policy*>(self)->refused(request, why);
  };
  job.attempt = [](void* self, Io& io, Request request) {
    return static_cast<Policy*>(self)->attempt(io, request);
  };
  job.attempt_many = [](void* self, Io& io, std::span<const Request> requests,
                        std::span<Outcome> outcomes) {
    return static_cast<Policy*>(self)->attempt_many(io, requests, outcomes);
  };
  job.end = [](void* self, const Request& request, const Outcome& outcome) noexcept {
    return static_cast<Policy*>(self)->ended(request, outcome);
  };
  return job;
}

void Policy::start(const ModelSetup& setup) {
  outer_ = setup.job;
  requests_ = setup.requests;
  width_ = width();
  width_further_in_ = total_width() / width_;
  const Numbers inside = prepare(setup);
  if (std::uint64_t{inside.attempts} * width_further_in_ > kMostAttempts) {
    throw UsageError(
        fmt::format("the policies make more than {} attempts of a request", kMostAttempts));
  }
  ModelSetup within = setup;
  within.job = inner_job();
  within.requests = inside.requests;
  within.attempts = inside.attempts;
  inner_->start(within);
  started_ = true;
  admission_.open();
}

std::uint32_t Policy::total_width() const {
  const auto* next = dynamic_cast<const AttemptWidth*>(inner_.get());
  return width() * (next == nullptr ? 1 : next->total_width());
}

Refusal Policy::submit(const Request& request) noexcept {
  Refusal why = admission_.enter();
  if (why != Refusal::none) return why;
  why = stopping() ? Refusal::shutdown : offer(request);
  if (why != Refusal::none) admission_.leave();
  return why;
}

void Policy::shutdown(Time deadline) noexcept {
  admission_.close();
  if (!std::exchange(started_, false)) return;
  timeline_->wait_until(deadline, [this] { return admission_.count() == 0; });
  stopping_.store(true, std::memory_order_release);
  timeline_->drop(this);
  stop();
  inner_->shutdown(deadline);
  // What the last ends inside have left behind.
  timeline_->drop(this);
  stop();
}

ModelStats Policy::stats() const {
  ModelStats all = inner_->stats();
  for (auto& figure : own_stats()) all.push_back(std::move(figure));
  return all;
}

bool Policy::ended(const Request& inside, const Outcome& outcome) noexcept {
  return end(outer_of(inside), outcome);
}

void Policy::refused(const Request& inside, Refusal why) noexcept { refuse(outer_of(inside), why); }

Task<Outcome> Policy::attempt(Io& io, const Request& request) {
  return outer_.attempt(outer_.context, io, request);
}

Task<void> Policy::attempt_many(Io& io, std::span<const Request> requests,
                                std::span<Outcome> outcomes) {
  return outer_.attempt_many(outer_.context, io, requests, outcomes);
}

bool Policy::end(const Request& outer, const Outcome& outcome) noexcept {
  const bool of_use = outer_.end(outer_.context, outer, outcome);
  admission_.leave();
  return of_use;
}

void Policy::refuse(const Request& outer, Refusal why) noexcept {
  outer_.refuse(outer_.context, outer, why);
  admission_.leave();
}

}  // namespace precipice
