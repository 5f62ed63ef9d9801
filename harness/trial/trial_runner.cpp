#include "harness/trial/trial_runner.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <optional>

#include "harness/host/environment_variable.hpp"
#include "harness/host/host_watch.hpp"
#include "harness/host/throttling.hpp"
#include "harness/trial/calibration.hpp"
#include "harness/trial/closed_loop.hpp"
#include "harness/trial/drain.hpp"
#include "harness/trial/expected_digests.hpp"
#include "harness/trial/gates.hpp"
#include "harness/trial/generator.hpp"
#include "harness/trial/in_flight_integral.hpp"
#include "harness/trial/instrumented_job.hpp"
#include "harness/trial/interrupt.hpp"
#include "harness/trial/limits.hpp"
#include "harness/trial/memory_need.hpp"
#include "harness/trial/rpc_backend.hpp"
#include "harness/trial/simulated_trial.hpp"
#include "harness/trial/slots.hpp"
#include "harness/trial/trial_summary.hpp"
#include "models/unavailable.hpp"

namespace precipice {
namespace {

// Nothing here offers more; a rate beyond it is a typing error.
constexpr double kHighestRate = 20e6;
// Closed loops are given slots for this rate at most (2 CPUs spend more than 300 ns on any
// request).
constexpr double kHighestClosedRate = 3e6;
constexpr std::size_t kMostClosedSlots = 8'000'000;

double seconds(Nanos duration) { return std::chrono::duration<double>(duration).count(); }

/// CPU time and context switches of the process and of the calling thread, to take the difference
/// of two.
struct Usage {
  double process_cpu_ns = 0, thread_cpu_ns = 0, process_switches = 0, thread_switches = 0;

  static Usage now() {
    Usage usage;
    rusage process{}, thread{};
    getrusage(RUSAGE_SELF, &process);
    getrusage(RUSAGE_THREAD, &thread);
    usage.process_switches = static_cast<double>(process.ru_nvcsw + process.ru_nivcsw);
    usage.thread_switches = static_cast<double>(thread.ru_nvcsw + thread.ru_nivcsw);
    usage.process_cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    usage.thread_cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    return usage;
  }

 private:
  static double clock_ns(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
  }
};

/// The high-water mark of resident memory from here on; /proc/self/clear_refs, proc(5).
class PeakMemory {
 public:
  PeakMemory() { known_ = (std::ofstream("/proc/self/clear_refs") << "5").flush().good(); }
  /// nullopt where the mark could not be reset: it would be that of all trials so far.
  std::optional<std::uint64_t> bytes() const {
    std::ifstream status("/proc/self/status");
    for (std::string line; known_ && std::getline(status, line);) {
      if (line.rfind("VmHWM:", 0) == 0) return std::strtoull(line.c_str() + 6, nullptr, 10) * 1024;
    }
    return std::nullopt;
  }

 private:
  bool known_ = false;
};

class AffinityGuard {
 public:
  AffinityGuard() : before_(CpuSet::allowed()) {}
  AffinityGuard(const AffinityGuard&) = delete;
  AffinityGuard& operator=(const AffinityGuard&) = delete;
  ~AffinityGuard() {
    try {
      pin_this_thread(before_);
    } catch (const std::exception&) {
      // The CPUs it had before are gone; staying where it is harms nothing but speed.
    }
  }

 private:
  CpuSet before_;
};

bool share_a_cpu(const CpuSet& a, const CpuSet& b) {
  return std::any_of(a.list().begin(), a.list().end(), [&](int cpu) { return b.contains(cpu); });
}

CpuSet both(const CpuSet& a, const CpuSet& b) {
  std::vector<int> cpus = a.list();
  cpus.insert(cpus.end(), b.list().begin(), b.list().end());
  return CpuSet(std::move(cpus));
}

void check(const TrialRequest& request) {
  if ((request.rate_per_s > 0) == (request.closed > 0)) {
    throw UsageError("a trial needs either a rate above 0 or a closed loop of at least 1");
  }
  if (!std::isfinite(request.rate_per_s) || request.rate_per_s > kHighestRate) {
    throw UsageError(
        fmt::format("a rate of {:g}/s is beyond what the generator can offer (at most {:g}/s)",
                    request.rate_per_s, kHighestRate));
  }
  if (request.model.name == "oracle" && request.workload.name != "empty") {
    throw UsageError(
        fmt::format("the oracle draws its own service times: give it --workload empty, not {}",
                    request.workload.name));
  }
  if (request.window.count() <= 0) throw UsageError("the window must be longer than 0");
  if (request.generator_cpus.empty() || request.model_cpus.empty()) {
    throw UsageError("a trial needs CPUs for the generator and for the model");
  }
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

std::unique_ptr<Model> make_model(const TrialRequest& request) {
  const ModelInfo& info = model_named(request.model.name);
  if (info.unavailable != nullptr) {
    if (const auto reason = info.unavailable()) {
      throw Unavailable(fmt::format("{} cannot run here: {}", info.name, *reason));
    }
  }
  std::map<std::string, std::string> given = request.model.given;
  if (request.model.name == "oracle") {
    // Its stall counts from the start of the window, which only the harness knows.
    given.emplace("window_offset", fmt::format("{}ns", request.warmup.count()));
  }
  return info.make(Options(info.name, info.options, given));
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

/// Nothing of the model is at work any more when what its requests use is destroyed.
class StoppedInTheEnd {
 public:
  explicit StoppedInTheEnd(const std::unique_ptr<Model>& model) : model_(model) {}
  StoppedInTheEnd(const StoppedInTheEnd&) = delete;
  StoppedInTheEnd& operator=(const StoppedInTheEnd&) = delete;
  ~StoppedInTheEnd() {
    if (model_) model_->shutdown(Io::now());
  }

 private:
  const std::unique_ptr<Model>& model_;
};

std::string awaited_requests(const Workload& workload) {
  const Nanos service = workload.nominal_service();
  if (service <= Nanos(0)) return "requests are under way";
  std::string length = format_duration(service);
  length.insert(length.find_last_of("0123456789") + 1, " ");
  return fmt::format("requests of {} are under way", length);
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

void make_scratch_directory(const std::string& directory) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed) {
    throw Unavailable(fmt::format("cannot make {}: {}; name another directory in PRECIPICE_SCRATCH",
                                  directory, failed.message()));
  }
}

}  // namespace

struct TrialRunner::Prepared {
  const WorkloadInfo* info = nullptr;
  std::unique_ptr<Workload> workload;
  std::vector<std::uint64_t> digests;
};

TrialRunner::TrialRunner(std::string scratch_directory)
    : scratch_directory_(std::move(scratch_directory)) {}
TrialRunner::~TrialRunner() = default;

std::string default_scratch_directory() {
  if (const auto named = environment_variable("PRECIPICE_SCRATCH")) return *named;
  // The XDG specification has relative paths ignored: they would name a cache in every directory.
  const auto cache = environment_variable("XDG_CACHE_HOME"), home = environment_variable("HOME");
  if (cache && cache->starts_with('/')) return *cache + "/precipice";
  if (home && home->starts_with('/')) return *home + "/.cache/precipice";
  return "/var/tmp/precipice";
}

TrialRunner::Prepared& TrialRunner::prepared(const Spec& spec) {
  auto& slot = prepared_[spec.to_string()];
  if (slot) return *slot;
  const Awaited awaited(fmt::format("{} is being prepared", spec.to_string()));
  auto made = std::make_unique<Prepared>();
  made->info = &workload_named(spec.name);
  if (made->info->files) make_scratch_directory(scratch_directory_);
  made->workload = made->info->make(Options(made->info->name, made->info->options, spec.given));
  WorkloadSetup setup;
  setup.concurrency = 1;
  setup.scratch_directory = scratch_directory_;
  setup.tabulating = true;
  setup.may_give_up = may_give_up();
  std::optional<Backend> backend;
  if (made->workload->needs_backend()) {
    backend.emplace(CpuSet::allowed());
    setup.backend = backend->address();
  }
  made->workload->prepare(setup);
  made->digests = tabulate_digests(*made->workload, setup.may_give_up);
  made->workload->finish();
  slot = std::move(made);
  return *slot;
}

std::function<void()> TrialRunner::may_give_up() const {
  return [wanted = stop_wanted_] {
    if (wanted != nullptr && wanted->load())
      throw Interrupted("interrupted: the preparation under way was not kept");
  };
}

Trial TrialRunner::run(const TrialRequest& request) {
  try {
    return run_here(request);
  } catch (...) {
    throw_what_ran_out(
        fmt::format("{} on {}", request.model.to_string(), request.workload.to_string()));
  }
}

Trial TrialRunner::run_here(const TrialRequest& request) {
  check(request);
  if (request.clock == ClockKind::virtual_time) return simulate_trial(request, stop_);
  const Time started = Io::now();
  const AffinityGuard affinity;
  Prepared& prepared = this->prepared(request.workload);
  Workload& workload = *prepared.workload;
  const Awaited awaited(awaited_requests(workload));
  std::unique_ptr<Model> model = model_maker_ ? model_maker_(request) : make_model(request);

  Trial trial;
  trial.request = request;
  const std::int64_t warmup_ns = request.warmup.count();
  const std::int64_t end_ns = warmup_ns + request.window.count();
  const std::int64_t deadline_ns = end_ns + request.drain.count();
  const bool open_loop = request.closed == 0;
  std::vector<std::int64_t> intended;
  if (open_loop) {
    require_memory_for(request, expected_requests(request), workload);
    intended = request.arrivals.schedule(request.rate_per_s, end_ns, request.seed);
  } else {
    require_memory_for(request, closed_slots(request, workload), workload);
  }
  Slots slots(open_loop ? intended.size() : closed_slots(request, workload));

  std::optional<Backend> backend;
  WorkloadSetup workload_setup;
  workload_setup.executors = model->executors(request.model_cpus);
  workload_setup.rate_per_s = request.rate_per_s;
  workload_setup.concurrency = request.closed;
  workload_setup.scratch_directory = scratch_directory_;
  workload_setup.may_give_up = may_give_up();
  if (workload.needs_backend()) {
    backend.emplace(request.generator_cpus);
    workload_setup.backend = backend->address();
  }
  workload.prepare(workload_setup);

  pin_this_thread(request.model_cpus);
  trial.speed_ns = probe_speed_ns();
  pin_this_thread(request.generator_cpus);
  remove_timer_slack();
  if (spin_margin_.count() == 0) spin_margin_ = spin_margin();
  trial.no_spin = backend.has_value() || share_a_cpu(request.generator_cpus, request.model_cpus);

  InFlightIntegral in_flight;
  InstrumentedJob observed(workload, slots, in_flight);
  std::optional<ClosedLoop> loop;
  if (!open_loop) {
    loop.emplace(*model, slots, in_flight, request.seed, request.think, end_ns, stop_);
    observed.set_after_end(&*loop);
  }
  const StoppedInTheEnd stopped_in_the_end(model);
  const PeakMemory peak_memory;
  model->start(
      {request.model_cpus, observed.job(), workload.files(), workload.block_bytes(), stop_});
  HostWatch watch(both(request.generator_cpus, request.model_cpus));
  const Usage before = Usage::now();
  const Time epoch = Io::now() + std::chrono::milliseconds(2);
  observed.set_epoch(epoch);
  if (backend) backend->begin_interval();

  std::size_t issued = 0;
  if (open_loop) {
    GeneratorOptions options;
    options.spin = !trial.no_spin;
    options.margin = spin_margin_;
    options.give_up_ns = deadline_ns;
    options.stop = stop_;
    issued = offer(*model, intended, request.seed, epoch, slots, in_flight, options);
  } else {
    loop->drive(request.closed, epoch);
  }
  const Usage after_offering = Usage::now();
  const ModelStats at_work = model->stats();
  const CpuSet generator_is_on = CpuSet::allowed();
  model->shutdown(wait_for_drain(*model, epoch + Nanos(deadline_ns), stop_));
  const bool interrupted = stop_ != nullptr && stop_->load();
  const Usage after = Usage::now();
  const HostReport host = watch.end(epoch + request.warmup, epoch + Nanos(end_ns));
  trial.model_stats = higher_of(at_work, model->stats());
  trial.peak_rss_bytes = peak_memory.bytes();

  GateInput gates;
  gates.host = host;
  if (generator_is_on.list() != request.generator_cpus.list())
    gates.generator_moved_to = generator_is_on;
  double backend_cpu_ns = 0;
  if (backend) {
    gates.backend = backend->report();
    trial.backend_lag_p99_ns = static_cast<double>(gates.backend->lag_p99_ns);
    trial.backend_busy = gates.backend->busy;
    backend_cpu_ns = gates.backend->cpu_ns;
  }
  // What its engine has registered goes before the connections are closed.
  model.reset();
  workload.finish();
  trial.note = workload.note();

  Recording observation;
  observation.intended_ns = intended;
  observation.slots = &slots;
  observation.issued = open_loop ? intended.size() : loop->issued();
  observation.window_begin_ns = warmup_ns;
  observation.window_end_ns = end_ns;
  observation.deadline_ns = deadline_ns;
  observation.digests = prepared.digests;
  observation.schedule_seed = request.seed;
  gates.stamps = summarise(observation, trial);
  gates.integral_ns = in_flight.integral_ns();
  gates.still_in_flight = in_flight.in_flight();

  const double dispatched = static_cast<double>(open_loop ? issued : loop->issued());
  if (dispatched > 0) {
    const double own_cpu_ns = after.thread_cpu_ns - before.thread_cpu_ns;
    const double model_cpu_ns = after.process_cpu_ns - before.process_cpu_ns - own_cpu_ns -
                                backend_cpu_ns - host.probes_cpu_ns;
    trial.cpu_generator_ns = (after_offering.thread_cpu_ns - before.thread_cpu_ns) / dispatched;
    trial.cpu_model_ns = std::max(0.0, model_cpu_ns / dispatched);
    const double switches = after.process_switches - before.process_switches -
                            (after.thread_switches - before.thread_switches) - host.probes_switches;
    // The probes have slept: a kernel that has seen no switch counts none.
    if (host.probes_switches > 0)
      trial.context_switches_per_request = std::max(0.0, switches / dispatched);
  }
  if (open_loop && issued > 1) {
    // Against a perfect generator that faces the same submit times, as in lag.
    std::int64_t perfect = 0, free_at = 0, first = 0;
    for (std::size_t id = 0; id < issued; ++id) {
      perfect = std::max(intended[id], free_at);
      free_at = perfect + slots.sent(id).submit_ns;
      if (id == 0) first = perfect;
    }
    gates.perfect_span_ns = static_cast<double>(perfect - first);
    gates.realised_span_ns =
        static_cast<double>(slots.sent(issued - 1).dispatch_ns - slots.sent(0).dispatch_ns);
    gates.unsent_by_model = free_at >= deadline_ns - request.drain.count() / 100;
  }
  apply_gates(gates, trial);
  if (const std::string hidden = host.not_judged(); !hidden.empty()) {
    trial.note += fmt::format("{}not judged, as this kernel or container does not show it: {}",
                              trial.note.empty() ? "" : "; ", hidden);
  }
  if (!interrupted) require_that_memory_sufficed(trial);
  if (const std::string limit = thread_limit_note(trial.model_stats); !limit.empty()) {
    trial.note += (trial.note.empty() ? "" : "; ") + limit;
  }
  if (interrupted) {
    trial.valid = false;
    trial.invalid_reasons.push_back(
        {Cause::generator, TrialGate::interrupted, "the trial was interrupted"});
  }
  if (loop && loop->exhausted()) {
    trial.valid = false;
    trial.invalid_reasons.push_back({Cause::generator, TrialGate::slots,
                                     "the closed loop ran out of slots; shorten the window"});
  }
  trial.elapsed_s = seconds(Io::now() - started);
  return trial;
}

Calibration TrialRunner::calibrate(const Spec& spec, const CpuSet& model_cpus) {
  try {
    return calibrate_here(spec, model_cpus);
  } catch (...) {
    throw_what_ran_out(fmt::format("the calibration of {}", spec.to_string()));
  }
}

Calibration TrialRunner::calibrate_here(const Spec& spec, const CpuSet& model_cpus) {
  const AffinityGuard affinity;
  Workload& workload = *prepared(spec).workload;
  const Awaited awaited(awaited_requests(workload));
  std::optional<Backend> backend;
  WorkloadSetup setup;
  setup.concurrency = 1;
  setup.scratch_directory = scratch_directory_;
  setup.may_give_up = may_give_up();
  if (workload.needs_backend()) {
    // Not on the model's CPU if there is another: its work is no part of S.
    std::vector<int> others;
    const CpuSet allowed = CpuSet::allowed();
    for (const int cpu : allowed.list()) {
      if (!model_cpus.contains(cpu)) others.push_back(cpu);
    }
    backend.emplace(others.empty() ? model_cpus : CpuSet(others));
    setup.backend = backend->address();
  }
  workload.prepare(setup);
  pin_this_thread(model_cpus);
  remove_timer_slack();
  // A quota that was spent before may throttle the beginning of it.
  constexpr int kMostAttempts = 3;
  Calibration calibration;
  for (int attempt = 0; attempt < kMostAttempts && !calibration.valid; ++attempt) {
    const std::uint64_t before = read_throttled_periods().value_or(0);
    calibration = calibrate_service(workload, stop_wanted_);
    calibration.valid = read_throttled_periods().value_or(0) <= before;
  }
  workload.finish();
  return calibration;
}

}  // namespace precipice
