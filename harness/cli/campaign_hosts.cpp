#include "harness/cli/campaign_hosts.hpp"

#include <fmt/format.h>

#include "harness/drive/drive_trial.hpp"
#include "harness/drive/served_model.hpp"
#include "harness/report/live_view.hpp"
#include "harness/trial/interrupt.hpp"
#include "harness/trial/simulated_trial.hpp"
#include "harness/trial/transport.hpp"
#include "harness/trial/trial_runner.hpp"

namespace precipice {

TrialSource::TrialSource() = default;
TrialSource::~TrialSource() = default;

TrialRunner& TrialSource::runner() {
  if (!runner_) {
    runner_ = std::make_unique<TrialRunner>(default_scratch_directory());
    runner_->set_stop(&stop_now(), &stop_wanted());
  }
  return *runner_;
}

Trial TrialSource::measure(const TrialRequest& request) {
  const auto simulate = [&] {
    const Awaited awaited("a simulation is under way");
    return simulate_trial(request, &stop_now());
  };
  Trial trial = request.clock == ClockKind::virtual_time ? simulate()
                : over_http(request.model)               ? served(request)
                : request.target != nullptr              ? target_runner().run(request)
                                                         : runner().run(request);
  if (stop_now().load()) throw Interrupted("interrupted: the trial under way was not kept");
  return trial;
}

Calibration TrialSource::calibrate(const Spec& workload, const CpuSet& model_cpus) {
  Calibration calibration = runner().calibrate(workload, model_cpus);
  if (stop_now().load()) throw Interrupted("interrupted: the trial under way was not kept");
  return calibration;
}

TargetRunner& TrialSource::target_runner() {
  if (!target_runner_) {
    target_runner_ = std::make_unique<TargetRunner>();
    target_runner_->set_stop(&stop_now());
  }
  return *target_runner_;
}

Trial TrialSource::served(const TrialRequest& request) {
  const std::vector<std::uint64_t>& digests = runner().digests_of(request.workload);
  const Awaited awaited(fmt::format("{} is being served", request.model.to_string()));
  return run_served(request, digests, "/proc/self/exe", target_runner(), [] {
    if (stop_wanted().load())
      throw Interrupted("interrupted: the server that was being started was stopped");
  });
}

Calibration TrialSource::calibrate_target(const Target& target, const CpuSet& generator_cpus) {
  Calibration calibration = target_runner().calibrate(target, generator_cpus);
  if (stop_now().load()) throw Interrupted("interrupted: the trial under way was not kept");
  return calibration;
}

Trial InMemoryHost::measure(const TrialRequest& request) { return source_.measure(request); }

Calibration InMemoryHost::calibrate(const Spec& workload, const CpuSet& model_cpus) {
  return source_.calibrate(workload, model_cpus);
}

Calibration InMemoryHost::calibrate_target(const Target& target, const CpuSet& generator_cpus) {
  return source_.calibrate_target(target, generator_cpus);
}

void InMemoryHost::progress(const Progress& progress) {
  if (const auto room = terminal_.live_room())
    terminal_.live(live_view(progress, so_far_, room->width, room->height));
}

void InMemoryHost::cell_finished(const Progress& progress, const std::string& line) {
  terminal_.line(fmt::format("[{}/{}] {} {}: {}", progress.cell, progress.cells, progress.series,
                             progress.workload, line));
}

bool InMemoryHost::stop_requested() { return stop_wanted().load(); }

std::optional<Record> JournallingHost::find(const std::string& key) {
  wanted_ = key;
  std::optional<Record> found = store_.find(key);
  if (found) so_far_.take(*found);
  return found;
}

void JournallingHost::keep(const Record& record) {
  store_.keep(record);
  InMemoryHost::keep(record);
}

std::optional<CalibrationRecord> JournallingHost::find_calibration(const std::string& key) {
  wanted_ = "calibration of " + key;
  return store_.find_calibration(key);
}

Trial JournallingHost::measure(const TrialRequest& request) {
  if (const std::string given_up = store_.begin(wanted_); !given_up.empty()) {
    Trial trial;
    trial.request = request;
    trial.model_fault = true;
    trial.invalid_reasons.push_back({Cause::model, TrialGate::crash, given_up});
    return trial;
  }
  try {
    return InMemoryHost::measure(request);
  } catch (...) {
    store_.abandon();
    throw;
  }
}

template <class Measure>
Calibration JournallingHost::calibrate_once(Measure measure) {
  if (const std::string given_up = store_.begin(wanted_); !given_up.empty())
    throw Unavailable(given_up);
  try {
    return measure();
  } catch (...) {
    store_.abandon();
    throw;
  }
}

Calibration JournallingHost::calibrate(const Spec& workload, const CpuSet& model_cpus) {
  return calibrate_once([&] { return InMemoryHost::calibrate(workload, model_cpus); });
}

Calibration JournallingHost::calibrate_target(const Target& target, const CpuSet& generator_cpus) {
  return calibrate_once([&] { return InMemoryHost::calibrate_target(target, generator_cpus); });
}

}  // namespace precipice
