#include "harness/cli/preflight.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/capacity/preflight.hpp"
#include "harness/cli/common_options.hpp"
#include "harness/host/doctor.hpp"
#include "harness/host/noise_floor.hpp"
#include "harness/trial/noise_sampler.hpp"
#include "models/options.hpp"

namespace precipice::cli {

void say_at_start(const CpuChoice& cpus, ClockKind clock) {
  if (clock == ClockKind::virtual_time) return;
  remark(cpus.remark);
  for (const std::string& line : remarks_at_start(cpus.generator, cpus.model)) remark(line);
}

void look_at_noise(Plan& plan, bool force, bool own_window) {
  if (force || plan.clock == ClockKind::virtual_time) return;
  const NoiseWatch watch = watch_noise(plan.generator_cpus, plan.model_cpus, preflight_watch(plan));
  const std::string losses = expected_losses(plan, watch);
  // The least S that stalls allow is no property of the machine while others use its CPUs.
  if (losses.empty() || !watch.samples.others.exceeded()) {
    for (const std::string& sentence : preflight(plan, NoiseFloor(watch.samples))) remark(sentence);
  }
  remark(losses);
  if (own_window) return;
  const Nanos window = window_for_noise(plan, watch);
  if (window == plan.window) return;
  remark(
      fmt::format("windows are {} instead of {}, which fewer disturbances meet; --seconds sets it",
                  format_duration(window), format_duration(plan.window)));
  plan.window = window;
  plan.coarse_window = std::min(plan.coarse_window, window);
}

}  // namespace precipice::cli
