#include "harness/trial/simulated_policies.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/trial/arrivals.hpp"
#include "harness/trial/gates.hpp"
#include "harness/trial/interrupt.hpp"
#include "harness/trial/limits.hpp"
#include "harness/trial/memory_need.hpp"
#include "harness/trial/policy_chain.hpp"
#include "harness/trial/policy_watch.hpp"
#include "harness/trial/slots.hpp"
#include "harness/trial/trial_summary.hpp"
#include "harness/trial/virtual_count.hpp"
#include "harness/trial/virtual_servers.hpp"
#include "harness/trial/virtual_stages.hpp"
#include "harness/trial/virtual_timeline.hpp"
#include "models/oracle.hpp"
#include "models/random.hpp"

namespace precipice {
namespace {

std::size_t slots_needed(const TrialRequest& request, const OracleSettings& settings) {
  const double span_ns = static_cast<double>((request.warmup + request.window).count());
  const double each_ns = static_cast<double>((settings.total() + request.think).count());
  const double served = static_cast<double>(request.closed) * span_ns / std::max(1.0, each_ns);
  // Services are drawn: their sum falls short of the mean now and then.
  return static_cast<std::size_t>(
      std::min(4 * served + 2 * static_cast<double>(request.closed) + 1000,
               static_cast<double>(kMaxRequests)));
}

/// Offers the load, and is the job at the outer end of the chain.
class Simulation {
 public:
  Simulation(const TrialRequest& request, const std::atomic<bool>* stop)
      : request_(request),
        stop_(stop),
        settings_(oracle_settings(request.oracle_options())),
        stall_{static_cast<double>((request.warmup + settings_.stall_at).count()),
               static_cast<double>(settings_.stall_for.count())},
        window_end_ns_((request.warmup + request.window).count()),
        intended_(request.closed > 0 ? std::vector<std::int64_t>{} : request.schedule()),
        slots_(request.closed > 0 ? slots_needed(request, settings_) : intended_.size()) {
    chain_ = make_chain(request.policies, make_servers(), timeline_);
  }

  Trial run() {
    ModelSetup setup;
    setup.cpus = CpuSet({0});
    setup.job = {.run = nullptr,
                 .refuse = &Simulation::refuse,
                 .context = this,
                 .attempt = &Simulation::attempt,
                 .attempt_many = &Simulation::attempt_many,
                 .end = &Simulation::end};
    setup.requests = slots_.size();
    const Time from(request_.warmup), to((Nanos(window_end_ns_)));
    chain_.attempts->set_window(from, to);
    if (request_.trigger) watch_.emplace(*chain_.attempts, *chain_.model, timeline_, from, to);
    chain_.model->start(setup);
    if (request_.closed > 0) {
      for (std::uint64_t i = 0; i < request_.closed; ++i) issue();
    } else if (!intended_.empty()) {
      expect(static_cast<double>(intended_.front()));
    }
    // Looked at now and then, since that costs as much as an event.
    constexpr std::uint64_t kLook = 4096;
    for (std::uint64_t events = 1; timeline_.step(); ++events) {
      if (events % kLook == 0 && stopped())
        throw Interrupted("interrupted: the simulation under way was not kept");
    }
    chain_.model->shutdown(timeline_.now());
    return conclude();
  }

 private:
  static Task<Outcome> attempt(void* self, Io&, Request request) {
    auto& simulation = *static_cast<Simulation*>(self);
    simulation.begin(request);
    if (simulation.stages_ == nullptr)
      co_await simulation.servers_->service(simulation.settings_.service_ns(request));
    for (unsigned stage = 0; stage < simulation.stages(); ++stage)
      co_await simulation.stages_->pass(stage, simulation.settings_.service_ns(request, stage));
    co_return Outcome::ok(mix64(request.seed));
  }
  /// The fixed part once, and each request's own part.
  static Task<void> attempt_many(void* self, Io&, std::span<const Request> requests,
                                 std::span<Outcome> outcomes) {
    auto& simulation = *static_cast<Simulation*>(self);
    for (const Request& request : requests) simulation.begin(request);
    if (simulation.stages_ == nullptr)
      co_await simulation.servers_->service(simulation.work_of(requests, 0));
    for (unsigned stage = 0; stage < simulation.stages(); ++stage)
      co_await simulation.stages_->pass(stage, simulation.work_of(requests, stage));
    for (std::size_t i = 0; i < requests.size(); ++i)
      outcomes[i] = Outcome::ok(mix64(requests[i].seed));
  }
  static bool end(void* self, const Request& request, const Outcome& outcome) noexcept {
    auto& simulation = *static_cast<Simulation*>(self);
    const std::int64_t at = simulation.timeline_.now().time_since_epoch().count();
    simulation.slots_.complete(request.id, at, outcome);
    simulation.leave();
    return true;
  }
  static void refuse(void* self, const Request& request, Refusal why) noexcept {
    auto& simulation = *static_cast<Simulation*>(self);
    const std::int64_t at = simulation.timeline_.now().time_since_epoch().count();
    simulation.slots_.refuse(request.id, at, why);
    simulation.in_flight_.step(simulation.timeline_.now_ns(), -1);
    simulation.come_back();
  }
  static void due(void* self, std::uint64_t) noexcept {
    auto& simulation = *static_cast<Simulation*>(self);
    simulation.issue();
    if (simulation.issued_ < simulation.intended_.size())
      simulation.expect(static_cast<double>(simulation.intended_[simulation.issued_]));
  }

  std::unique_ptr<Model> make_servers() {
    if (settings_.staged()) {
      auto stages = std::make_unique<VirtualStages>(settings_, stall_, timeline_);
      stages_ = stages.get();
      return stages;
    }
    auto servers = std::make_unique<VirtualServers>(settings_, stall_, timeline_);
    servers_ = servers.get();
    return servers;
  }
  /// Those that a request passes by itself; the model of a single queue calls it to its server.
  unsigned stages() const { return stages_ == nullptr ? 0 : settings_.stages; }
  /// Of one piece of work for several requests, at a stage.
  double work_of(std::span<const Request> requests, unsigned stage) const {
    double work_ns = 0;
    if (!settings_.in_parts()) {
      for (const Request& request : requests) work_ns += settings_.service_ns(request, stage);
      return work_ns;
    }
    const double mean = static_cast<double>(settings_.mean.count());
    const auto all = static_cast<double>(
        (settings_.fixed + static_cast<std::int64_t>(requests.size()) * settings_.item).count());
    return settings_.service_ns(requests.front(), stage) * (all / mean);
  }

  void expect(double at_ns) { timeline_.schedule(at_ns, {&Simulation::due, this, 0}); }
  void begin(const Request& request) {
    Slot& slot = slots_[request.id];
    if (slot.begin_ns >= 0) return;
    slot.begin_ns =
        VirtualTimeline::rounded(stall_.begin_time(stall_.work_time(timeline_.now_ns())));
  }
  void leave() {
    in_flight_.step(timeline_.now_ns(), -1);
    if (request_.closed > 0 && !stopped()) {
      expect(timeline_.now_ns() + static_cast<double>(request_.think.count()));
    }
  }
  /// A lane of a closed loop whose request was refused: later, as at once it would find the same.
  void come_back() {
    if (request_.closed == 0 || stopped()) return;
    expect(timeline_.now_ns() +
           static_cast<double>(std::max(request_.think, settings_.mean).count()));
  }
  bool stopped() const { return stop_ != nullptr && stop_->load(std::memory_order_relaxed); }

  void issue() {
    if (stopped() ||
        (request_.closed > 0 && timeline_.now_ns() >= static_cast<double>(window_end_ns_))) {
      return;
    }
    if (issued_ == slots_.size()) {
      ran_out_ = true;
      return;
    }
    const std::size_t id = issued_++;
    Sent& sent = slots_.sent(id);
    const Time now = timeline_.now();
    sent.dispatch_ns = now.time_since_epoch().count();
    in_flight_.step(timeline_.now_ns(), +1);
    const Refusal why = chain_.model->submit({.id = id,
                                              .seed = request_seed(request_.seed, id),
                                              .priority = request_.class_of(id),
                                              .intended = now});
    if (why == Refusal::none) return;
    sent.shed = true;
    slots_.refuse(id, sent.dispatch_ns, why);
    in_flight_.step(timeline_.now_ns(), -1);
    come_back();
  }

  Trial conclude() {
    if (stopped()) throw Interrupted("interrupted: the simulation under way was not kept");
    if (ran_out_) {
      throw UsageError(
          fmt::format("a closed loop of {} sends more than {} requests in this window; shorten it",
                      request_.closed, slots_.size()));
    }
    Trial trial;
    trial.request = request_;
    Recording recording;
    recording.intended_ns = intended_;
    recording.slots = &slots_;
    recording.issued = issued_;
    recording.window_begin_ns = request_.warmup.count();
    recording.window_end_ns = window_end_ns_;
    recording.deadline_ns = window_end_ns_ + request_.drain.count();
    recording.schedule_seed = request_.seed;
    GateInput gates;
    gates.stamps = summarise(recording, trial);
    gates.integral_ns = in_flight_.integral_ns();
    gates.still_in_flight = in_flight_.count();
    if (!request_.policies.empty()) trial.attempts = chain_.attempts->inside_window();
    gates.attempts_outside = chain_.attempts->outside_window();
    gates.attempts_executed = chain_.attempts->execution();
    // Of the servers' own count, which knows nothing of the stamps that the chain takes.
    const VirtualCount& executing =
        stages_ != nullptr ? stages_->executing() : servers_->executing();
    gates.attempts_executed.integral_ns = executing.integral_ns();
    gates.attempts_executed.executing += executing.count();
    trial.model_stats = chain_.model->stats();
    trial.batch = batch_figures(trial.model_stats);
    gates.attempts_inside = chain_.attempts->in_flight();
    if (watch_) {
      watch_->stop();
      watch_->fill(*trial.timeline);
    }
    apply_gates_of_counts(gates, trial);
    return trial;
  }

  const TrialRequest& request_;
  const std::atomic<bool>* const stop_;
  const OracleSettings settings_;
  const Stall stall_;
  const std::int64_t window_end_ns_;
  const std::vector<std::int64_t> intended_;  ///< open loop
  Slots slots_;
  VirtualTimeline timeline_;
  VirtualServers* servers_ = nullptr;  ///< or stages_
  VirtualStages* stages_ = nullptr;
  PolicyChain chain_;
  std::optional<PolicyWatch> watch_;
  std::size_t issued_ = 0;
  bool ran_out_ = false;
  VirtualCount in_flight_;
};

}  // namespace

Trial simulate_policies(const TrialRequest& request, const std::atomic<bool>* stop) {
  const auto started = std::chrono::steady_clock::now();
  Simulation simulation(request, stop);
  Trial trial = simulation.run();
  trial.elapsed_s =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  return trial;
}

}  // namespace precipice
