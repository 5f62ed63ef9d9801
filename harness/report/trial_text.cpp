#include "harness/report/trial_text.hpp"

#include <fmt/format.h>

#include <cmath>

#include "harness/format.hpp"
#include "harness/trial/spec.hpp"

namespace precipice {
namespace {

/// JSON's null is a dash here: what was not measured has no digits.
std::string decimals(double value, int digits) {
  return std::isfinite(value) ? fmt::format("{:.{}f}", value, digits) : "-";
}

/// Of `bounds` the figures that are lower bounds are marked as such.
std::string row_text(const char* name, const Percentiles& p, const Trial* bounds = nullptr) {
  const auto time = [&](auto ns) -> std::string {
    if (!p.known) return "-";
    const bool bound = bounds != nullptr && bounds->is_lower_bound(static_cast<std::int64_t>(ns));
    return (bound ? ">" : "") + short_time(static_cast<double>(ns));
  };
  return fmt::format("{:<10} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}\n", name, time(p.mean),
                     time(p.p50), time(p.p90), time(p.p95), time(p.p99), time(p.p999), time(p.max));
}

std::string network_text(const NetworkFigures& n) {
  std::string text = fmt::format(
      "{} connections, all busy for {:.1f}% of the window   client at work {:.0f}%   on time "
      "{:.2f}%\n",
      n.connections, 100 * n.all_busy, 100 * n.client_busy, 100 * n.on_time);
  if (n.connects + n.failed_connects > 0) {
    text += fmt::format("connections made anew {}, attempts that failed {}\n", n.connects,
                        n.failed_connects);
  }
  for (const auto& [kind, times] : n.errors) text += fmt::format("failed ({}): {}\n", kind, times);
  return text;
}

}  // namespace

std::string trial_text(const Trial& t) {
  const TrialRequest& r = t.request;
  std::string text = fmt::format(
      "{} on {}, {}\n", label(r.model), label(r.workload),
      r.closed > 0 ? fmt::format("closed loop of {}", r.closed)
                   : fmt::format("{} requests/s, {}", r.rate_per_s, r.arrivals.to_string()));
  text += fmt::format("offered {}/s  goodput {}/s  {}  {}\n\n", decimals(t.offered_per_s, 1),
                      decimals(t.goodput_per_s, 1),
                      t.stable ? "stable" : "NOT stable: the backlog grows",
                      t.valid ? "valid" : "INVALID");
  const Counts& c = t.counts;
  text += fmt::format(
      "scheduled {}  sent {}  unsent {}  completed {}  failed {}  shed {}  unfinished {}\n",
      c.scheduled, c.sent, c.unsent, c.completed, c.failed, c.shed, c.unfinished);
  if (t.attempts) {
    const AttemptCounts& a = *t.attempts;
    text += fmt::format(
        "attempts {}: won {}  lost {}  failed {}  cancelled {}  refused {}  unfinished {}\n",
        a.begun, a.won, a.lost, a.failed, a.cancelled, a.refused, a.unfinished);
  }
  text += '\n';
  text += fmt::format("{:<10} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}\n", "", "mean", "p50",
                      "p90", "p95", "p99", "p99.9", "max");
  text += row_text("response", t.response, &t);
  for (const ClassFigures& each : t.classes) text += row_text(each.name.c_str(), each.response, &t);
  if (t.network) {
    text += row_text("own lag", t.lag);
    text += row_text("connection", t.connection_wait);
    text += row_text("wire", t.residence);
  } else {
    text += row_text("residence", t.residence);
    text += row_text("submit", t.submit);
    text += row_text("lag", t.lag);
    text += row_text("self-lag", t.self_lag);
  }
  text += fmt::format("\nCPU per request: {} {}, {} {}   in flight {}   peak memory {}\n",
                      t.network ? "server" : "model",
                      std::isfinite(t.cpu_model_ns) ? short_time(t.cpu_model_ns) : "-",
                      t.network ? "client" : "generator", short_time(t.cpu_generator_ns),
                      decimals(t.in_flight_mean, 2),
                      t.peak_rss_bytes
                          ? decimals(static_cast<double>(*t.peak_rss_bytes) / (1 << 20), 1) + " MiB"
                          : "-");
  text += fmt::format("steal {}   longest stall {}   checksum {:016x}\n",
                      std::isfinite(t.steal_percent) ? decimals(t.steal_percent, 2) + "%" : "-",
                      t.hiccup_max_ns ? short_time(static_cast<double>(*t.hiccup_max_ns)) : "-",
                      t.checksum);
  if (t.network) text += network_text(*t.network);
  for (const ClassFigures& each : t.classes) {
    text += fmt::format("class {}: {} requests, {}% lost\n", each.name, each.requests,
                        decimals(100 * each.loss(), 3));
  }
  for (const auto& [why, times] : t.refusals) text += fmt::format("shed ({}): {}\n", why, times);
  if (!t.network)
    for (const auto& [error, times] : t.errors)
      text += fmt::format("failed (errno {}): {}\n", error, times);
  if (!t.note.empty()) text += fmt::format("note: {}\n", t.note);
  for (const InvalidReason& reason : t.invalid_reasons)
    text += fmt::format("invalid ({}, {}): {}\n", to_string(reason.cause), to_string(reason.gate),
                        reason.text);
  return text;
}

}  // namespace precipice
