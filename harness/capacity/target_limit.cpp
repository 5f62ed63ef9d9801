#include "harness/capacity/target_limit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "harness/stats/estimate.hpp"

namespace precipice {
namespace {

// As the search calls a plateau flat.
constexpr double kGrowth = 1.05;

/// Goodput at `connections` in flight is no higher than at half of them or fewer.
bool flat(const std::vector<Point>& evidence, std::uint64_t connections) {
  double below = 0, above = 0;
  for (const Point& point : evidence) {
    if (!point.valid || point.closed == 0) continue;
    double& best = 2 * point.closed <= connections ? below : above;
    best = std::max(best, point.goodput_per_s);
  }
  return below > 0 && above <= kGrowth * below;
}

/// "connections", "client" or "listen_overflows" where one of them made the trial invalid.
std::string limit_of(const Trial& trial) {
  for (const InvalidReason& reason : trial.invalid_reasons) {
    switch (reason.gate) {
      case TrialGate::connections:
        return "connections";
      case TrialGate::listen_overflows:
        return "listen_overflows";
      case TrialGate::client_cpu:
      case TrialGate::on_time:
      case TrialGate::unsent:
        return "client";
      default:
        break;
    }
  }
  return "";
}

std::string sentence_of(const std::string& limit, const Target& target) {
  if (limit == "connections")
    return fmt::format("limited by the client's {} connections: see --connections",
                       target.connections);
  if (limit == "listen_overflows")
    return "limited by the server's accept queue: raise its backlog and net.core.somaxconn";
  if (limit == "max_rate")
    return fmt::format("limited by the bound of {:g}/s: see --max-rate", target.max_rate_per_s);
  if (limit == "client")
    return "limited by the client's CPU: more --threads, each with a CPU of --generator-cpus";
  return "";
}

}  // namespace

void refuse_if_bound_by_connections(const std::vector<Point>& evidence, Trial& trial) {
  if (!trial.valid || !trial.network || !trial.network->connections_bound) return;
  if (flat(evidence, trial.network->connections)) return;
  trial.valid = false;
  trial.invalid_reasons.push_back(
      {Cause::generator, TrialGate::connections,
       fmt::format("all {} connections were busy for {:.0f}% of the window, and on the wire the "
                   "SLO was kept: this client could send no more",
                   trial.network->connections, 100 * trial.network->all_busy)});
}

void name_limit(const Plan& plan, CellSummary& summary) {
  const auto target = plan.target_of(summary.model);
  if (target == nullptr) return;
  const auto censored = [](const Estimate& e) { return e.reached == Reached::above; };
  const bool cliff = censored(summary.result.cliff);
  summary.limit = "server";
  if (!cliff && !censored(summary.result.saturation)) return;
  double lowest = std::numeric_limits<double>::infinity();
  std::string limit;
  for (const Record& record : summary.points) {
    const double rate = record.trial.request.closed > 0 ? record.trial.goodput_per_s
                                                        : record.trial.request.rate_per_s;
    const std::string own = limit_of(record.trial);
    if (own.empty() || rate >= lowest) continue;
    lowest = rate;
    limit = own;
  }
  constexpr double kNear = 0.95;
  if (limit.empty() && target->max_rate_per_s > 0 &&
      summary.result.saturation.value >= kNear * target->max_rate_per_s)
    limit = "max_rate";
  // The sweep ended with all connections in flight, and still grew.
  if (limit.empty() && !cliff) limit = "connections";
  if (limit.empty()) return;
  summary.limit = limit;
  const std::string sentence =
      fmt::format("{}{}", cliff ? "" : "the saturation is ", sentence_of(limit, *target));
  // A note that is read back has it already.
  if (summary.note.find(sentence) == std::string::npos)
    summary.note += (summary.note.empty() ? "" : "; ") + sentence;
}

}  // namespace precipice
