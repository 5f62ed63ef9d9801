#include "harness/drive/network_gates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "harness/drive/failure_kind.hpp"

namespace precipice {
namespace {

constexpr double kMostBusy = 0.95;
// A client that is late and has little to do was kept from its CPU.
constexpr double kHalfBusy = 0.5;
constexpr double kLeastOnTime = 0.95, kUsuallyOnTime = 0.999;
// The loop counts as closed at its connections from here on.
constexpr double kRelevantShare = 0.05;

double slo_of(const TrialRequest& request) {
  return static_cast<double>((request.slo > Nanos(0) ? request.slo : kAssumedSlo).count());
}

void add_note(Trial& trial, const std::string& sentence) {
  trial.note += (trial.note.empty() ? "" : "; ") + sentence;
}

}  // namespace

double on_time_bound_ns(const TrialRequest& request) {
  return std::max(50e3, 0.02 * slo_of(request));
}

void measure_network(const Recording& recording, Trial& trial) {
  NetworkFigures& figures = *trial.network;
  const double bound = on_time_bound_ns(trial.request);
  Samples waits, on_wire;
  std::uint64_t sent = 0, in_time = 0;
  std::array<std::uint64_t, kFailureKinds> failed{};
  for (std::size_t id = 0; id < recording.issued; ++id) {
    const Sent& taken = recording.slots->sent(id);
    const Slot& slot = (*recording.slots)[id];
    if (taken.dispatch_ns < 0) continue;
    const std::int64_t intended =
        recording.intended_ns.empty() ? taken.dispatch_ns : recording.intended_ns[id];
    if (intended < recording.window_begin_ns || intended >= recording.window_end_ns) continue;
    ++sent;
    if (static_cast<double>(taken.dispatch_ns - intended) <= bound) ++in_time;
    if (slot.begin_ns >= 0) waits.add(slot.begin_ns - taken.dispatch_ns);
    const bool unfinished = slot.error == ECANCELED || slot.completion_ns > recording.deadline_ns;
    if (slot.end == End::completed && !unfinished) on_wire.add(slot.completion_ns - slot.begin_ns);
    if (slot.end == End::failed && !unfinished)
      ++failed[std::min<std::size_t>(slot.digest, kFailureKinds - 1)];
  }
  for (std::size_t kind = 0; kind < failed.size(); ++kind) {
    if (failed[kind] > 0)
      figures.errors[std::string(to_string(static_cast<FailureKind>(kind)))] = failed[kind];
  }
  figures.on_time = sent == 0 ? 1 : static_cast<double>(in_time) / static_cast<double>(sent);
  trial.connection_wait = waits.percentiles();
  std::int64_t wire_ns = 0;
  const bool answered = on_wire.percentiles(trial.request.slo_percentile, &wire_ns).known;
  const double slo = slo_of(trial.request);
  figures.connections_bound =
      trial.request.closed == 0 && answered && figures.all_busy >= kRelevantShare &&
      static_cast<double>(trial.slo_percentile_ns) > slo && static_cast<double>(wire_ns) <= slo;
}

void apply_network_gates(Trial& trial) {
  const NetworkFigures& figures = *trial.network;
  const auto fail = [&](TrialGate gate, std::string text, Cause cause = Cause::generator) {
    trial.invalid_reasons.push_back({cause, gate, std::move(text)});
  };
  if (trial.request.closed == 0 && figures.on_time < kUsuallyOnTime) {
    const std::string sentence =
        fmt::format("{:.2f}% of the requests were taken up within {:.0f} us of their time",
                    100 * figures.on_time, on_time_bound_ns(trial.request) * 1e-3);
    if (figures.on_time < kLeastOnTime)
      fail(TrialGate::on_time, fmt::format("{} (at least {:.0f}%)", sentence, 100 * kLeastOnTime),
           figures.client_busy < kHalfBusy ? Cause::host : Cause::generator);
    else
      add_note(trial, sentence);
  }
  if (figures.client_busy > kMostBusy) {
    fail(TrialGate::client_cpu,
         fmt::format("a thread of the client was at work for {:.0f}% of the window (at most "
                     "{:.0f}%), so the rate is the client's: more --threads, each with a CPU of "
                     "--generator-cpus",
                     100 * figures.client_busy, 100 * kMostBusy));
  }
  if (figures.listen_overflows.value_or(0) > 0) {
    fail(TrialGate::listen_overflows,
         fmt::format("{} connections found a full accept queue, and are tried again after a "
                     "second: raise the server's backlog and net.core.somaxconn",
                     *figures.listen_overflows));
  }
  if (figures.connections_bound) {
    add_note(trial,
             fmt::format("all {} connections were busy for {:.0f}% of the window, and on the wire "
                         "the SLO was kept: bound by connections, more of them may carry more",
                         figures.connections, 100 * figures.all_busy));
  }
}

}  // namespace precipice
