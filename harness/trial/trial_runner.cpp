#include "harness/trial/trial_runner.hpp"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>

#include "harness/host/environment_variable.hpp"
#include "harness/host/throttling.hpp"
#include "harness/trial/calibration.hpp"
#include "harness/trial/downstreams.hpp"
#include "harness/trial/expected_digests.hpp"
#include "harness/trial/interrupt.hpp"
#include "harness/trial/simulated_trial.hpp"
#include "harness/trial/trial_execution.hpp"
#include "models/unavailable.hpp"

namespace precipice {
namespace {

// Nothing here offers more; a rate beyond it is a typing error.
constexpr double kHighestRate = 20e6;

class AffinityGuard {
 public:
  AffinityGuard() : before_(CpuSet::of_this_thread()) {}
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

void check_trigger(const Trigger& trigger, const TrialRequest& request) {
  if (request.closed > 0) {
    throw UsageError(
        "a trigger belongs to an open loop: a closed one waits while something stands still");
  }
  if (trigger.at >= request.window) {
    throw UsageError(
        fmt::format("trigger '{}' comes after the window of {}: make the window longer",
                    trigger.to_string(), format_duration(request.window)));
  }
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
  if (request.trigger) check_trigger(*request.trigger, request);
  if (request.window.count() <= 0) throw UsageError("the window must be longer than 0");
  if (request.generator_cpus.empty() || request.model_cpus.empty()) {
    throw UsageError("a trial needs CPUs for the generator and for the model");
  }
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
    given = request.oracle_options();
    // Its stall counts from the start of the window, which only the harness knows.
    given.emplace("window_offset", fmt::format("{}ns", request.warmup.count()));
  }
  return info.make(Options(info.name, info.options, given));
}

std::string awaited_requests(const Workload& workload) {
  const Nanos service = workload.nominal_service();
  if (service <= Nanos(0)) return "requests are under way";
  std::string length = format_duration(service);
  length.insert(length.find_last_of("0123456789") + 1, " ");
  return fmt::format("requests of {} are under way", length);
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
  const ServedDownstream downstream(downstreams_, *made->workload, CpuSet::of_this_thread(), setup);
  made->workload->prepare(setup);
  made->digests = tabulate_digests(*made->workload, setup.may_give_up);
  made->workload->finish();
  slot = std::move(made);
  return *slot;
}

const std::vector<std::uint64_t>& TrialRunner::digests_of(const Spec& workload) {
  return prepared(workload).digests;
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
  const Awaited awaited(awaited_requests(*prepared.workload));
  TrialExecution execution(request, *prepared.workload,
                           model_maker_ ? model_maker_(request) : make_model(request), stop_);
  WorkloadSetup setup;
  setup.scratch_directory = scratch_directory_;
  setup.may_give_up = may_give_up();
  execution.set_up(std::move(setup), downstreams_, spin_margin_, prepared.digests);
  execution.execute();
  Trial trial = execution.conclude(prepared.digests);
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
  WorkloadSetup setup;
  setup.concurrency = 1;
  setup.calibrating = true;
  setup.scratch_directory = scratch_directory_;
  setup.may_give_up = may_give_up();
  // The server is not on the model's CPU if there is another: its work is no part of S.
  std::vector<int> others;
  const CpuSet allowed = CpuSet::of_this_thread();
  for (const int cpu : allowed.list()) {
    if (!model_cpus.contains(cpu)) others.push_back(cpu);
  }
  const ServedDownstream downstream(downstreams_, workload,
                                    others.empty() ? model_cpus : CpuSet(others), setup);
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
