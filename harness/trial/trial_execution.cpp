#include "harness/trial/trial_execution.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "harness/host/scheduling.hpp"
#include "harness/trial/calibration.hpp"
#include "harness/trial/drain.hpp"
#include "harness/trial/generator.hpp"
#include "harness/trial/invalid_reason.hpp"
#include "harness/trial/limits.hpp"
#include "harness/trial/memory_need.hpp"
#include "harness/trial/policy_chain.hpp"
#include "harness/trial/trial_summary.hpp"
#include "models/pinned_thread.hpp"
#include "models/unavailable.hpp"

namespace precipice {
namespace {

// Closed loops are given slots for this rate at most (2 CPUs spend more than 300 ns on any
// request).
constexpr double kHighestClosedRate = 3e6;
constexpr std::size_t kMostClosedSlots = 8'000'000;

// Beside servers: at most 5,000 wake-ups a second, which take a tenth of a CPU where one costs
// 20 us. At lower rates there are no more of them anyway, and at none is an arrival later than half
// of what the gate on the generator's own lag allows.
Nanos wake_ups_apart(const TrialRequest& request) {
  constexpr double kMostPerS = 5000;
  if (request.rate_per_s <= kMostPerS) return Nanos(0);
  return std::clamp<Nanos>(request.slo / 100, std::chrono::microseconds(25),
                           Nanos(static_cast<std::int64_t>(1e9 / kMostPerS)));
}

bool share_a_cpu(const CpuSet& a, const CpuSet& b) {
  return std::any_of(a.list().begin(), a.list().end(), [&](int cpu) { return b.contains(cpu); });
}

std::size_t closed_slots(const TrialRequest& request, const Workload& workload) {
  const double span_s = seconds(request.warmup + request.window);
  double rate = kHighestClosedRate;
  const double wait_s = seconds(workload.nominal_service() - workload.nominal_cpu());
  if (wait_s > 0) rate = std::min(rate, 2 * static_cast<double>(request.closed) / wait_s);
  const double work_s = seconds(workload.nominal_cpu());
  if (work_s > 0)
    rate = std::min(rate, 2 * static_cast<double>(request.model_cpus.size() + 1) / work_s);
  const double wanted = rate * span_s + 2 * static_cast<double>(request.closed) + 1000;
  return static_cast<std::size_t>(std::min(wanted, static_cast<double>(kMostClosedSlots)));
}

void require_memory_for(const TrialRequest& request, std::uint64_t requests,
                        const Workload& workload) {
  require_memory(memory_need(request, requests, workload.nominal_service()),
                 fmt::format("{} requests in one trial", requests),
                 request.closed > 0 ? "a smaller --closed or a shorter window"
                                    : "lower the rate or the window");
}

/// As far as the rate tells; a rate beyond what one trial may have is refused by its schedule.
std::uint64_t expected_requests(const TrialRequest& request) {
  const double expected = request.rate_per_s * seconds(request.warmup + request.window);
  return expected <= static_cast<double>(kMaxRequests) ? static_cast<std::uint64_t>(expected) : 0;
}

/// Requests that found no memory are no figure of the model's: the load is beyond this machine.
void require_that_memory_sufficed(const Trial& trial) {
  const auto shed = trial.refusals.find(std::string(to_string(Refusal::memory)));
  const auto failed = trial.errors.find(ENOMEM);
  const std::uint64_t without = (shed == trial.refusals.end() ? 0 : shed->second) +
                                (failed == trial.errors.end() ? 0 : failed->second);
  if (without == 0) return;
  throw Unavailable(
      fmt::format("{} of {} requests found no memory: {}; lower the rate or the window", without,
                  trial.counts.sent, memory_that_ran_out()));
}

/// Which limit shed the requests that got no thread, or "".
std::string thread_limit_note(const ModelStats& stats) {
  constexpr std::string_view kPrefix = "limited_by_";
  for (const auto& [name, value] : stats) {
    if (name.starts_with(kPrefix) && value > 0)
      return fmt::format("threads are limited by {}", name.substr(kPrefix.size()));
  }
  return "";
}

/// Counters are exact after shutdown, threads and queues are only there before it: of each figure
/// the higher.
ModelStats higher_of(const ModelStats& at_work, ModelStats after) {
  for (const auto& [name, value] : at_work) {
    const auto same =
        std::find_if(after.begin(), after.end(),
                     [&sought = name](const auto& figure) { return figure.first == sought; });
    if (same == after.end()) {
      after.emplace_back(name, value);
    } else {
      same->second = std::max(same->second, value);
    }
  }
  return after;
}

}  // namespace

TrialExecution::TrialExecution(const TrialRequest& request, Workload& workload,
                               std::unique_ptr<Model> model, const std::atomic<bool>* stop)
    : request_(request),
      workload_(workload),
      stop_(stop),
      warmup_ns_(request.warmup.count()),
      end_ns_(warmup_ns_ + request.window.count()),
      deadline_ns_(end_ns_ + request.drain.count()),
      model_(std::move(model)) {
  trial_.request = request;
}

// Servers take all of the CPU that they can get, and those that are a process for each connection
// have many shares of it to the generator's one. The model's threads may spin for a lock that the
// generator holds, or it for theirs: with those it only has short time slices.
WakeUpPrecedence::Kind TrialExecution::precedence() const {
  if (!trial_.no_spin) return WakeUpPrecedence::Kind::none;
  return share_a_cpu(request_.generator_cpus, request_.model_cpus)
             ? WakeUpPrecedence::Kind::short_slice
             : WakeUpPrecedence::Kind::real_time;
}

bool TrialExecution::can_serve_backend() const {
  // `inline` waits for its replies inside submit, on this thread.
  return request_.generator_cpus.size() == 1 && request_.model.name != "inline" &&
         request_.think == Nanos(0);
}

void TrialExecution::set_up(WorkloadSetup setup, Downstreams& downstreams, Nanos& margin,
                            std::span<const std::uint64_t> digests) {
  if (!request_.policies.empty()) {
    timeline_.emplace(request_.generator_cpus);
    PolicyChain chain = make_chain(request_.policies, std::move(model_), *timeline_);
    model_ = std::move(chain.model);
    attempts_ = chain.attempts;
    layers_ = std::move(chain.layers);
  }
  if (open_loop()) {
    require_memory_for(request_, expected_requests(request_), workload_);
    intended_ = request_.schedule();
  } else {
    require_memory_for(request_, closed_slots(request_, workload_), workload_);
  }
  slots_.emplace(open_loop() ? intended_.size() : closed_slots(request_, workload_));

  setup.executors = model_->executors(request_.model_cpus);
  setup.rate_per_s = request_.rate_per_s;
  setup.concurrency = request_.closed;
  const bool here = can_serve_backend();
  downstream_.emplace(downstreams, workload_, request_.generator_cpus, setup,
                      here ? BackendThread::callers : BackendThread::own);
  if (here) served_here_ = downstream_->backend();
  workload_.prepare(setup);

  pin_this_thread(request_.model_cpus);
  trial_.speed_ns = probe_speed_ns();
  pin_this_thread(request_.generator_cpus);
  remove_timer_slack();
  if (margin.count() == 0) margin = spin_margin();
  margin_ = margin;
  trial_.no_spin = (downstream_->any() && served_here_ == nullptr) ||
                   share_a_cpu(request_.generator_cpus, request_.model_cpus);

  // The oracle's servers stand still by themselves.
  if (request_.trigger && request_.trigger->kind == Trigger::Kind::stall &&
      request_.model.name != "oracle") {
    stalled_.emplace(workload_);
  }
  observed_.emplace(stalled_ ? *stalled_ : workload_, *slots_, in_flight_);
  observed_->set_digests(digests);
  if (!open_loop()) {
    loop_.emplace(*model_, *slots_, in_flight_, request_.seed, request_.think, end_ns_, stop_,
                  request_.classes.empty() ? nullptr : &request_);
    observed_->set_after_end(&*loop_);
  }
  stopped_in_the_end_.emplace(model_);
  peak_memory_.emplace();
  model_->start({request_.model_cpus, observed_->job(), workload_.files(), workload_.block_bytes(),
                 stop_, slots_->size()});
  watch_.emplace(united(request_.generator_cpus, request_.model_cpus));
}

void TrialExecution::execute() {
  downstream_->begin_interval();
  before_ = ResourceUsage::now();
  const Time epoch = Io::now() + std::chrono::milliseconds(2);
  observed_->set_epoch(epoch);
  if (stalled_) {
    const Time at = epoch + Nanos(warmup_ns_) + request_.trigger->at;
    stalled_->set_stall(at, at + request_.trigger->length);
  }
  if (attempts_ != nullptr) {
    const Time from = epoch + Nanos(warmup_ns_), to = epoch + Nanos(end_ns_);
    attempts_->set_window(from, to);
    if (request_.trigger) policy_watch_.emplace(*attempts_, *model_, *timeline_, from, to);
  }

  GeneratorOptions options;
  options.spin = !trial_.no_spin;
  options.precedence = precedence();
  if (options.precedence == WakeUpPrecedence::Kind::real_time)
    options.wake_ups_apart = wake_ups_apart(request_);
  options.margin = margin_;
  options.give_up_ns = deadline_ns_;
  options.stop = stop_;
  options.backend = served_here_;
  if (timeline_ && served_here_ == nullptr) options.timers = &*timeline_;
  if (!request_.classes.empty()) options.classes = &request_;
  if (open_loop()) {
    issued_ = offer(*model_, intended_, request_.seed, epoch, *slots_, in_flight_, options);
  } else {
    if (options.timers != nullptr) {
      if (const auto shortest = shortest_time(request_.policies))
        loop_->attend(options.timers, *shortest);
    }
    loop_->drive(request_.closed, epoch, served_here_, options.spin_margin());
  }
  after_offering_ = ResourceUsage::now();
  downstream_->end_offering(after_offering_.thread_cpu_ns - before_.thread_cpu_ns);
  const ModelStats at_work = model_->stats();
  generator_is_on_ = CpuSet::of_this_thread();
  const auto drain = [&](const Model& model, Time deadline) {
    return wait_for_drain(model, deadline, stop_, served_here_, options.spin_margin());
  };
  Time until = drain(*model_, epoch + Nanos(deadline_ns_));
  // Attempts whose requests have ended run on, in each layer what the ones around it have left, and
  // this thread may serve their backend.
  for (const Model* layer : layers_) until = drain(*layer, until);
  model_->shutdown(until);
  interrupted_ = stop_ != nullptr && stop_->load();
  after_ = ResourceUsage::now();
  host_ = watch_->end(epoch + request_.warmup, epoch + Nanos(end_ns_));
  trial_.model_stats = higher_of(at_work, model_->stats());
  trial_.peak_rss_bytes = peak_memory_->bytes();
}

Trial TrialExecution::conclude(std::span<const std::uint64_t> digests) {
  GateInput gates;
  gates.host = host_;
  if (generator_is_on_.list() != request_.generator_cpus.list())
    gates.generator_moved_to = generator_is_on_;
  if (const auto backend = downstream_->report()) {
    gates.backend = backend;
    trial_.backend_busy = backend->busy;
    if (!backend->own_process) {
      trial_.backend_lag_p99_ns = static_cast<double>(backend->lag_p99_ns);
      backend_cpu_ns_ = backend->cpu_ns;
    }
  }
  if (attempts_ != nullptr) {
    trial_.attempts = attempts_->inside_window();
    gates.attempts_outside = attempts_->outside_window();
    gates.attempts_executed = attempts_->execution();
    trial_.batch = batch_figures(trial_.model_stats);
    gates.attempts_inside = attempts_->in_flight();
    gates.wrong_attempts = observed_->wrong_attempts();
    gates.shortest_of_policies = shortest_time(request_.policies);
    if (const auto lateness = timeline_->lateness(); lateness.timers > 0)
      trial_.policy_lag_p99_ns = lateness.p99_ns;
  }
  if (policy_watch_) policy_watch_->stop();
  // What its engine has registered goes before the connections are closed.
  model_.reset();
  workload_.finish();
  trial_.note = workload_.note();

  Recording observation;
  observation.intended_ns = intended_;
  observation.slots = &*slots_;
  observation.issued = open_loop() ? intended_.size() : loop_->issued();
  observation.window_begin_ns = warmup_ns_;
  observation.window_end_ns = end_ns_;
  observation.deadline_ns = deadline_ns_;
  observation.digests = digests;
  observation.schedule_seed = request_.seed;
  gates.stamps = summarise(observation, trial_);
  if (policy_watch_) policy_watch_->fill(*trial_.timeline);
  gates.integral_ns = in_flight_.integral_ns();
  gates.still_in_flight = in_flight_.in_flight();
  count_costs();
  measure_spans(gates);
  apply_gates(gates, trial_);
  if (const std::string hidden = host_.not_judged(); !hidden.empty()) {
    trial_.note += fmt::format("{}not judged, as this kernel or container does not show it: {}",
                               trial_.note.empty() ? "" : "; ", hidden);
  }
  if (!interrupted_) require_that_memory_sufficed(trial_);
  if (const std::string limit = thread_limit_note(trial_.model_stats); !limit.empty()) {
    trial_.note += (trial_.note.empty() ? "" : "; ") + limit;
  }
  if (interrupted_) {
    trial_.valid = false;
    trial_.invalid_reasons.push_back(
        {Cause::generator, TrialGate::interrupted, "the trial was interrupted"});
  }
  if (loop_ && loop_->exhausted()) {
    trial_.valid = false;
    trial_.invalid_reasons.push_back({Cause::generator, TrialGate::slots,
                                      "the closed loop ran out of slots; shorten the window"});
  }
  return std::move(trial_);
}

void TrialExecution::count_costs() {
  const double dispatched = static_cast<double>(open_loop() ? issued_ : loop_->issued());
  if (dispatched <= 0) return;
  const double own_cpu_ns = after_.thread_cpu_ns - before_.thread_cpu_ns;
  const double model_cpu_ns = after_.process_cpu_ns - before_.process_cpu_ns - own_cpu_ns -
                              backend_cpu_ns_ - host_.probes_cpu_ns;
  trial_.cpu_generator_ns = (after_offering_.thread_cpu_ns - before_.thread_cpu_ns) / dispatched;
  trial_.cpu_model_ns = std::max(0.0, model_cpu_ns / dispatched);
  const double switches = after_.process_switches - before_.process_switches -
                          (after_.thread_switches - before_.thread_switches) -
                          host_.probes_switches;
  // The probes have slept: a kernel that has seen no switch counts none.
  if (host_.probes_switches > 0)
    trial_.context_switches_per_request = std::max(0.0, switches / dispatched);
}

void TrialExecution::measure_spans(GateInput& gates) const {
  if (!open_loop() || issued_ <= 1) return;
  // Against a perfect generator that faces the same submit times, as in lag.
  std::int64_t perfect = 0, free_at = 0, first = 0;
  for (std::size_t id = 0; id < issued_; ++id) {
    perfect = std::max(intended_[id], free_at);
    free_at = perfect + slots_->sent(id).submit_ns;
    if (id == 0) first = perfect;
  }
  gates.perfect_span_ns = static_cast<double>(perfect - first);
  gates.realised_span_ns =
      static_cast<double>(slots_->sent(issued_ - 1).dispatch_ns - slots_->sent(0).dispatch_ns);
  gates.unsent_by_model = free_at >= deadline_ns_ - request_.drain.count() / 100;
}

}  // namespace precipice
