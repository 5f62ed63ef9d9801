#include "harness/cli/preflight.hpp"

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

void look_at_noise(const Plan& plan, bool force) {
  if (force || plan.clock == ClockKind::virtual_time) return;
  const NoiseFloor floor(sample_noise(plan.generator_cpus, plan.model_cpus, kPreflightWatch));
  for (const std::string& sentence : preflight(plan, floor)) remark(sentence);
  if (nothing_resolvable(plan, floor)) {
    throw Unavailable(
        "the noise of this machine hides everything that was to be measured: measure longer "
        "requests or a wider SLO, see precipice doctor, or add --force to try all the same");
  }
}

}  // namespace precipice::cli
