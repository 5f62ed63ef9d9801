#include "harness/trial/gates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace precipice {
namespace {

std::string ms(double ns) { return fmt::format("{:.3g} ms", ns * 1e-6); }

class Reasons {
 public:
  explicit Reasons(Trial& trial) : trial_(trial) {}
  void fail(Cause cause, TrialGate gate, std::string text) {
    trial_.invalid_reasons.push_back({cause, gate, std::move(text)});
  }

 private:
  Trial& trial_;
};

void judge_generator(const GateInput& input, const Trial& trial, double slo_ns, Cause culprit,
                     Reasons& reasons) {
  if (trial.counts.unsent > 0) {
    reasons.fail(input.unsent_by_model ? Cause::model : culprit, TrialGate::unsent,
                 fmt::format("{} of {} requests were not sent before the drain deadline",
                             trial.counts.unsent, trial.counts.scheduled));
  }
  const double p99_bound = std::max(50e3, 0.02 * slo_ns);
  if (static_cast<double>(trial.self_lag.p99) > p99_bound) {
    reasons.fail(culprit, TrialGate::self_lag,
                 fmt::format("the generator's own lag has p99 {} (at most {})",
                             ms(static_cast<double>(trial.self_lag.p99)), ms(p99_bound)));
  }
  if (static_cast<double>(trial.self_lag.max) > slo_ns / 2) {
    reasons.fail(culprit, TrialGate::self_lag_max,
                 fmt::format("the generator's own lag reached {} (at most {}, half the SLO)",
                             ms(static_cast<double>(trial.self_lag.max)), ms(slo_ns / 2)));
  }
  if (input.perfect_span_ns > 0) {
    const double off = input.realised_span_ns / input.perfect_span_ns - 1;
    if (std::abs(off) > 0.001) {
      reasons.fail(
          culprit, TrialGate::realised_rate,
          fmt::format("the realised rate is {:+.2f}% off the schedule (at most 0.1%)", -100 * off));
    }
  }
}

/// Of those issued within the window none completed.
void judge_closed_loop(const Trial& trial, Reasons& reasons) {
  const auto in_flight = static_cast<double>(trial.request.closed);
  const double window_s = std::chrono::duration<double>(trial.request.window).count();
  const double turn_s = in_flight / trial.goodput_per_s;
  if (trial.goodput_per_s > 0 && turn_s > window_s) {
    reasons.fail(Cause::generator, TrialGate::turnover,
                 fmt::format("{} in flight at {:.0f}/s need {:.2g} s to turn over once, and the "
                             "window is {:g} s: a smaller --closed or longer --seconds",
                             trial.request.closed, trial.goodput_per_s, turn_s, window_s));
    return;
  }
  reasons.fail(Cause::model, TrialGate::no_progress,
               "no request of the closed loop completed: a stalled device or model");
}

bool only_generators(const TrialRequest& request, int cpu) {
  return request.generator_cpus.contains(cpu) && !request.model_cpus.contains(cpu);
}

/// Longest stalls by whom they hit.
struct Stalls {
  std::int64_t all_ns = 0, model_ns = 0, generator_ns = 0;
  int model_cpu = -1, generator_cpu = -1;
};

Stalls stalls_of(const HostReport& host, const TrialRequest& request) {
  Stalls stalls;
  if (!host.run_delay_known) return stalls;
  stalls.all_ns = host.hiccup_all_ns;
  // A report that names no CPU is of a single one that all share.
  if (host.cpus.empty()) stalls.model_ns = host.hiccup_max_ns;
  for (const WatchedCpu& each : host.cpus) {
    const bool generators = only_generators(request, each.cpu);
    std::int64_t& longest = generators ? stalls.generator_ns : stalls.model_ns;
    if (each.hiccup_max_ns <= longest) continue;
    longest = each.hiccup_max_ns;
    (generators ? stalls.generator_cpu : stalls.model_cpu) = each.cpu;
  }
  return stalls;
}

void judge_stalls(const Stalls& stalls, double slo_ns, Reasons& reasons) {
  const double bound = slo_ns / 2;
  const auto fail = [&](Cause cause, const std::string& who, std::int64_t length_ns) {
    reasons.fail(cause, TrialGate::stall,
                 fmt::format("{} stalled for {} (at most {}, half the SLO)", who,
                             ms(static_cast<double>(length_ns)), ms(bound)));
  };
  if (static_cast<double>(stalls.all_ns) > bound) {
    fail(Cause::host, "all CPUs", stalls.all_ns);
    return;
  }
  if (static_cast<double>(stalls.model_ns) > bound) {
    fail(Cause::host,
         stalls.model_cpu < 0 ? "a CPU" : fmt::format("the model's CPU {}", stalls.model_cpu),
         stalls.model_ns);
  }
  if (static_cast<double>(stalls.generator_ns) > bound) {
    fail(Cause::generator, fmt::format("the generator's CPU {}", stalls.generator_cpu),
         stalls.generator_ns);
  }
}

/// Others' time on both sides of the trial, and on each.
struct NeighbourVerdict {
  OtherProcesses all, generator, model;
  /// Of the whole too, so that a thread of ours that strayed to the other side is nobody's
  /// neighbour.
  bool on_generator() const { return all.exceeded() && generator.exceeded(); }
  bool on_model() const { return all.exceeded() && model.exceeded(); }
};

NeighbourVerdict neighbours_of(const GateInput& input, const TrialRequest& request) {
  const HostReport& host = *input.host;
  SideTime all, generator, model;
  all.elapsed_ns = generator.elapsed_ns = model.elapsed_ns = host.elapsed_ns;
  all.tick_ns = generator.tick_ns = model.tick_ns = sample_interval_ns();
  all.own_ns = host.process_cpu_ns;
  if (input.backend && input.backend->own_process) all.own_ns += input.backend->cpu_ns;
  bool apart = true;
  generator.own_ns = host.watcher_cpu_ns + (input.backend ? input.backend->cpu_ns : 0);
  for (const WatchedCpu& each : host.cpus) {
    all.busy_ns.push_back(each.busy_ns);
    if (only_generators(request, each.cpu)) {
      generator.busy_ns.push_back(each.busy_ns);
      generator.own_ns += each.probe_cpu_ns;
    } else {
      model.busy_ns.push_back(each.busy_ns);
      apart = apart && !request.generator_cpus.contains(each.cpu);
    }
  }
  model.own_ns = all.own_ns - generator.own_ns;
  NeighbourVerdict seen;
  seen.all = neighbours(all);
  // On shared CPUs the sides cannot be told apart: what is there hits the model.
  seen.model = neighbours(apart ? model : all);
  if (apart) seen.generator = neighbours(generator);
  return seen;
}

void judge_neighbours(const NeighbourVerdict& seen, Reasons& reasons) {
  const auto fail = [&](const char* where, const OtherProcesses& side) {
    reasons.fail(
        Cause::host, TrialGate::neighbour,
        fmt::format("other processes used {:.0f}% of a CPU on the {} CPUs (at most {:.0f}%,"
                    " a twentieth and the noise of the kernel's sampling)",
                    100 * side.took_ns / side.elapsed_ns, where,
                    100 * side.bound_ns() / side.elapsed_ns));
  };
  if (seen.on_model()) fail("model's", seen.model);
  if (seen.on_generator()) fail("generator's", seen.generator);
}

/// Each CPU has a probe that is bound to it, and moves only where the kernel takes the CPU away.
void judge_cpus(const GateInput& input, Reasons& reasons) {
  if (const CpuSet gone = input.host->gone(); !gone.empty())
    reasons.fail(Cause::host, TrialGate::cpus, gone_text(gone));
  if (!input.generator_moved_to.empty()) {
    reasons.fail(Cause::host, TrialGate::cpus,
                 fmt::format("the generator was moved to CPUs {} while it ran",
                             input.generator_moved_to.to_string()));
  }
}

/// A pause begins and ends with the kernel's ticks.
void judge_real_time(const HostReport& host, Reasons& reasons) {
  if (!host.real_time_pause_ns || !host.real_time_watched) return;
  const auto pause = static_cast<double>(*host.real_time_pause_ns);
  for (const WatchedCpu& each : host.cpus) {
    const auto stalled = static_cast<double>(each.hiccup_max_ns);
    if (stalled < pause - sample_interval_ns() || stalled > 2 * pause) continue;
    reasons.fail(Cause::host, TrialGate::rt_throttling,
                 fmt::format("the kernel's bound on real-time threads ({} of each period, "
                             "sched_rt_runtime_us) kept them off CPU {} for {}",
                             ms(pause), each.cpu, ms(stalled)));
    return;
  }
}

void judge_host(const HostReport& host, Reasons& reasons) {
  if (host.steal_ticks > std::max(1.0, host.cpu_seconds)) {
    reasons.fail(
        Cause::host, TrialGate::steal,
        fmt::format("the hypervisor took {:.0f} ticks in {:.1f} CPU-seconds (at most 1 a second)",
                    host.steal_ticks, host.cpu_seconds));
  }
  if (const std::uint64_t periods = host.throttled_periods.value_or(0); periods > 0) {
    reasons.fail(Cause::host, TrialGate::throttling,
                 fmt::format("the cgroup's CPU quota{} throttled this process in {} periods",
                             host.cpu_quota ? fmt::format(" of {:.2f} CPUs", *host.cpu_quota) : "",
                             periods));
  }
}

void judge_backend(const BackendReport& backend, double slo_ns, Reasons& reasons) {
  if (backend.stopped) {
    reasons.fail(
        Cause::backend, TrialGate::backend_stopped,
        "the backend stopped during the trial, so failed requests are none of the model's");
    return;
  }
  if (backend.own_process) {
    // Nobody waits for a CPU that is not full. A part of less than a fifth belongs to the pair
    // whose figure it is, like the server's own.
    if (backend.shared_cpus_busy > 0.9 && backend.generator_share > 0.2) {
      reasons.fail(
          Cause::generator, TrialGate::client_cpu,
          fmt::format("the generator used {:.0f}% of the CPU that it shares with the server "
                      "(at most 20% where that is full): a lower bound",
                      100 * backend.shared_cpus_busy * backend.generator_share));
    }
    return;
  }
  const double bound = 0.05 * slo_ns;
  if (static_cast<double>(backend.lag_p99_ns) > bound) {
    reasons.fail(
        Cause::backend, TrialGate::backend_lag,
        fmt::format("the backend's own lag has p99 {} (at most {}, 5% of the SLO): a lower bound",
                    ms(static_cast<double>(backend.lag_p99_ns)), ms(bound)));
  }
  // One that sleeps needs room to wake up, and for the generator where that shares its CPU.
  const double most_busy = backend.polled ? 0.90 : 0.70;
  if (backend.busy > most_busy) {
    reasons.fail(Cause::backend, TrialGate::backend_busy,
                 fmt::format("the backend used {:.0f}% of its CPU (at most {:.0f}%): a lower bound",
                             100 * backend.busy, 100 * most_busy));
  }
}

void judge_little(const GateInput& input, Trial& trial, Reasons& reasons) {
  if (!trial.drained) return;  // the stamps of unfinished requests are cut off at the deadline
  const double stamps = input.stamps.in_flight_ns;
  const double scale = std::max({std::abs(stamps), std::abs(input.integral_ns), 1.0});
  trial.little_error = std::abs(stamps - input.integral_ns) / scale;
  if (trial.little_error > 0.001) {
    reasons.fail(
        Cause::model, TrialGate::little,
        fmt::format("Little's law is off by {:.2f}% (at most 0.1%): stamps and counter disagree",
                    100 * trial.little_error));
    trial.model_fault = true;
  }
}

void judge_conservation(const GateInput& input, Trial& trial, Reasons& reasons) {
  const Counts& counts = trial.counts;
  const bool adds_up =
      counts.scheduled == counts.sent + counts.unsent &&
      counts.sent == counts.completed + counts.failed + counts.shed + counts.unfinished;
  if (!adds_up || input.still_in_flight != 0) {
    reasons.fail(
        Cause::model, TrialGate::conservation,
        fmt::format("requests are not conserved: {} still counted as in flight after shutdown",
                    input.still_in_flight));
    trial.model_fault = true;
  }
}

/// Both sides are of all attempts, and after the shutdown each of them has ended.
void judge_little_of_attempts(const AttemptExecution& all, Trial& trial, Reasons& reasons) {
  const double scale = std::max({std::abs(all.stamps_ns), std::abs(all.integral_ns), 1.0});
  const double error = std::abs(all.stamps_ns - all.integral_ns) / scale;
  trial.attempts->little_error = error;
  if (error <= 0.001 && all.executing == 0) return;
  reasons.fail(Cause::model, TrialGate::little,
               fmt::format("Little's law over attempts is off by {:.2f}% (at most 0.1%), and {} "
                           "are counted as executing after the shutdown: stamps and counter "
                           "disagree",
                           100 * error, all.executing));
  trial.model_fault = true;
}

void judge_policies(const GateInput& input, Trial& trial, Reasons& reasons) {
  if (!trial.attempts) return;
  const AttemptCounts& attempts = *trial.attempts;
  const std::uint64_t begun = attempts.begun + input.attempts_outside.begun;
  const std::uint64_t ended = attempts.ended() + input.attempts_outside.ended();
  if (attempts.begun != attempts.ended() || begun != ended || input.attempts_inside != 0) {
    reasons.fail(Cause::model, TrialGate::attempts,
                 fmt::format("attempts are not conserved: {} begun, {} ended, {} inside after "
                             "shutdown",
                             begun, ended, input.attempts_inside));
    trial.model_fault = true;
  }
  judge_little_of_attempts(input.attempts_executed, trial, reasons);
  if (input.wrong_attempts > 0) {
    reasons.fail(Cause::model, TrialGate::digest,
                 fmt::format("{} attempts have a wrong digest", input.wrong_attempts));
    trial.model_fault = true;
  }
  if (!trial.policy_lag_p99_ns || !input.shortest_of_policies) return;
  const double bound = 0.05 * static_cast<double>(input.shortest_of_policies->count());
  if (*trial.policy_lag_p99_ns > bound) {
    reasons.fail(Cause::generator, TrialGate::policy_lag,
                 fmt::format("timers of the policies were late by p99 {} (at most {}, 5% of the "
                             "shortest time in the chain)",
                             ms(*trial.policy_lag_p99_ns), ms(bound)));
  }
}

/// Mean over these CPUs; NaN where none of them says.
double run_queue_wait(const HostReport& host, const CpuSet& cpus) {
  double sum = 0, known = 0;
  for (const WatchedCpu& each : host.cpus) {
    if (!cpus.contains(each.cpu) || std::isnan(each.run_queue_wait_mean_ns)) continue;
    sum += each.run_queue_wait_mean_ns;
    ++known;
  }
  return known > 0 ? sum / known : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

void apply_gates(const GateInput& input, Trial& trial) {
  const Nanos slo = trial.request.slo.count() > 0 ? trial.request.slo : kAssumedSlo;
  const auto slo_ns = static_cast<double>(slo.count());
  Reasons reasons(trial);
  Cause culprit = Cause::generator;
  Stalls stalls;
  NeighbourVerdict neighbour;
  if (input.host) {
    stalls = stalls_of(*input.host, trial.request);
    neighbour = neighbours_of(input, trial.request);
    if (input.host->run_delay_known) {
      trial.hiccup_max_ns = input.host->hiccup_max_ns;
      trial.hiccup_all_ns = input.host->hiccup_all_ns;
      for (const WatchedCpu& each : input.host->cpus) {
        if (each.probed) trial.hiccup_by_cpu_ns[each.cpu] = each.hiccup_max_ns;
      }
    }
    trial.run_queue_wait_ns = run_queue_wait(*input.host, trial.request.model_cpus);
    trial.steal_percent = input.host->steal_percent;
    trial.steal_ticks = input.host->steal_ticks;
    trial.cpu_seconds = input.host->cpu_seconds;
    trial.neighbours = neighbour.all;
    const bool stood_still =
        static_cast<double>(stalls.all_ns) > slo_ns / 2 && 2 * stalls.all_ns >= trial.self_lag.max;
    const bool moved = !input.host->gone().empty() || !input.generator_moved_to.empty();
    const bool neighboured = !input.executed_elsewhere && neighbour.on_generator();
    if (stood_still || moved || neighboured) culprit = Cause::host;
  }
  if (trial.request.closed == 0) {
    judge_generator(input, trial, slo_ns, culprit, reasons);
  } else if (trial.counts.completed == 0) {
    judge_closed_loop(trial, reasons);
  }
  if (input.host) {
    judge_cpus(input, reasons);
    judge_real_time(*input.host, reasons);
    judge_stalls(stalls, slo_ns, reasons);
    if (!input.executed_elsewhere) judge_neighbours(neighbour, reasons);
    judge_host(*input.host, reasons);
  }
  if (input.backend) judge_backend(*input.backend, slo_ns, reasons);
  apply_gates_of_counts(input, trial);
}

void apply_gates_of_counts(const GateInput& input, Trial& trial) {
  Reasons reasons(trial);
  judge_conservation(input, trial, reasons);
  judge_little(input, trial, reasons);
  judge_policies(input, trial, reasons);
  trial.valid = trial.invalid_reasons.empty();
}

}  // namespace precipice
