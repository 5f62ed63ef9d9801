#include "harness/gates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/trial_runner.hpp"

namespace precipice {
namespace {

std::string ms(double ns) { return fmt::format("{:.3g} ms", ns * 1e-6); }

class Verdict {
 public:
  explicit Verdict(Trial& trial) : trial_(trial) {}
  void fail(std::string_view cause, std::string_view gate, std::string text) {
    trial_.invalid_reasons.push_back({std::string(cause), std::string(gate), std::move(text)});
  }

 private:
  Trial& trial_;
};

void judge_generator(const GateInput& input, const Trial& trial, double slo_ns, Verdict& verdict) {
  if (trial.counts.unsent > 0) {
    verdict.fail(input.unsent_by_model ? "model" : "generator", "unsent",
                 fmt::format("{} of {} requests were not sent before the drain deadline",
                             trial.counts.unsent, trial.counts.scheduled));
  }
  const double p99_bound = std::max(50e3, 0.02 * slo_ns);
  if (static_cast<double>(trial.self_lag.p99) > p99_bound) {
    verdict.fail("generator", "self_lag",
                 fmt::format("the generator's own lag has p99 {} (at most {})",
                             ms(static_cast<double>(trial.self_lag.p99)), ms(p99_bound)));
  }
  if (static_cast<double>(trial.self_lag.max) > slo_ns / 2) {
    verdict.fail("generator", "self_lag_max",
                 fmt::format("the generator's own lag reached {} (at most {}, half the SLO)",
                             ms(static_cast<double>(trial.self_lag.max)), ms(slo_ns / 2)));
  }
  if (input.perfect_span_ns > 0) {
    const double off = input.realised_span_ns / input.perfect_span_ns - 1;
    if (std::abs(off) > 0.001) {
      verdict.fail(
          "generator", "realised_rate",
          fmt::format("the realised rate is {:+.2f}% off the schedule (at most 0.1%)", -100 * off));
    }
  }
}

void judge_host(const HostReport& host, double slo_ns, Verdict& verdict) {
  if (static_cast<double>(host.hiccup_max_ns) > slo_ns / 2) {
    const bool all = static_cast<double>(host.hiccup_all_ns) > slo_ns / 2;
    verdict.fail(
        "host", "stall",
        fmt::format("{} stalled for {} (at most {}, half the SLO)", all ? "all CPUs" : "a CPU",
                    ms(static_cast<double>(host.hiccup_max_ns)), ms(slo_ns / 2)));
  }
  if (host.steal_ticks > std::max(1.0, host.cpu_seconds)) {
    verdict.fail(
        "host", "steal",
        fmt::format("the hypervisor took {:.0f} ticks in {:.1f} CPU-seconds (at most 1 a second)",
                    host.steal_ticks, host.cpu_seconds));
  }
  if (host.throttled_periods > 0) {
    verdict.fail("host", "throttling",
                 fmt::format("the cgroup was throttled in {} periods", host.throttled_periods));
  }
}

void judge_backend(const BackendReport& backend, double slo_ns, Verdict& verdict) {
  const double bound = 0.05 * slo_ns;
  if (static_cast<double>(backend.lag_p99_ns) > bound) {
    verdict.fail(
        "backend", "backend_lag",
        fmt::format("the backend's own lag has p99 {} (at most {}, 5% of the SLO): a lower bound",
                    ms(static_cast<double>(backend.lag_p99_ns)), ms(bound)));
  }
  if (backend.busy > 0.70) {
    verdict.fail("backend", "backend_busy",
                 fmt::format("the backend used {:.0f}% of its CPU (at most 70%): a lower bound",
                             100 * backend.busy));
  }
}

void judge_little(const GateInput& input, Trial& trial, Verdict& verdict) {
  if (!trial.drained) return;  // the stamps of unfinished requests are cut off at the deadline
  const double stamps = input.stamps.in_flight_ns;
  const double scale = std::max({std::abs(stamps), std::abs(input.integral_ns), 1.0});
  trial.little_error = std::abs(stamps - input.integral_ns) / scale;
  if (trial.little_error > 0.001) {
    verdict.fail(
        "model", "little",
        fmt::format("Little's law is off by {:.2f}% (at most 0.1%): stamps and counter disagree",
                    100 * trial.little_error));
    trial.model_fault = true;
  }
}

void judge_conservation(const GateInput& input, Trial& trial, Verdict& verdict) {
  const Counts& counts = trial.counts;
  const bool adds_up =
      counts.scheduled == counts.sent + counts.unsent &&
      counts.sent == counts.completed + counts.failed + counts.shed + counts.unfinished;
  if (!adds_up || input.still_in_flight != 0) {
    verdict.fail(
        "model", "conservation",
        fmt::format("requests are not conserved: {} still counted as in flight after shutdown",
                    input.still_in_flight));
    trial.model_fault = true;
  }
}

}  // namespace

void apply_gates(const GateInput& input, Trial& trial) {
  const Nanos slo = trial.request.slo.count() > 0 ? trial.request.slo : kAssumedSlo;
  const auto slo_ns = static_cast<double>(slo.count());
  Verdict verdict(trial);
  if (trial.request.closed == 0) {
    judge_generator(input, trial, slo_ns, verdict);
  } else if (trial.counts.completed == 0) {
    verdict.fail("model", "no_progress",
                 "no request of the closed loop completed: a stalled device or model");
  }
  if (input.host) judge_host(*input.host, slo_ns, verdict);
  if (input.backend) judge_backend(*input.backend, slo_ns, verdict);
  judge_conservation(input, trial, verdict);
  judge_little(input, trial, verdict);
  trial.valid = trial.invalid_reasons.empty();
}

}  // namespace precipice
