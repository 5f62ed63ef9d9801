#include "harness/store/trial_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "harness/stats/statistics.hpp"
#include "harness/store/json_fields.hpp"
#include "harness/trial/spec.hpp"

namespace precipice {
namespace {

Json percentiles_json(const Percentiles& p) {
  if (!p.known) {
    return {{"mean", nullptr}, {"p50", nullptr},  {"p90", nullptr}, {"p95", nullptr},
            {"p99", nullptr},  {"p999", nullptr}, {"max", nullptr}};
  }
  return {{"mean", number(p.mean)}, {"p50", p.p50},   {"p90", p.p90}, {"p95", p.p95},
          {"p99", p.p99},           {"p999", p.p999}, {"max", p.max}};
}

CpuSet cpus_from(const Json& json, const char* key) {
  std::vector<int> cpus;
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return {};
  for (const Json& cpu : *found) cpus.push_back(whole<std::uint16_t>(cpu));
  return CpuSet(std::move(cpus));
}
void read_ns(const Json& json, const char* key, Nanos& into) {
  std::int64_t ns = into.count();
  read(json, key, ns);
  into = Nanos(ns);
}

Percentiles percentiles_from(const Json& json, const char* key) {
  Percentiles p;
  const auto found = json.find(key);
  if (found == json.end()) return p;
  read(*found, "mean", p.mean);
  read(*found, "p50", p.p50);
  read(*found, "p90", p.p90);
  read(*found, "p95", p.p95);
  read(*found, "p99", p.p99);
  read(*found, "p999", p.p999);
  read(*found, "max", p.max);
  p.known = found->contains("max") && !found->at("max").is_null();
  return p;
}

Json counts_json(const Counts& c) {
  return {{"scheduled", c.scheduled},  {"sent", c.sent},     {"unsent", c.unsent},
          {"completed", c.completed},  {"failed", c.failed}, {"shed", c.shed},
          {"unfinished", c.unfinished}};
}

Json host_json(const Trial& t) {
  Json host = {{"steal_percent", number(t.steal_percent)},
               {"steal_ticks", number(t.steal_ticks)},
               {"cpu_seconds", number(t.cpu_seconds)},
               {"hiccup_max_ns", or_null(t.hiccup_max_ns)},
               {"hiccup_all_ns", or_null(t.hiccup_all_ns)},
               {"run_queue_wait_ns", number(t.run_queue_wait_ns)},
               {"neighbours_cpu_ns", number(t.neighbours.took_ns)},
               {"neighbours_deviation_ns", number(t.neighbours.deviation_ns)},
               {"watched_ns", number(t.neighbours.elapsed_ns)},
               {"speed_ns", number(t.speed_ns)}};
  Json& by_cpu = host["hiccup_by_cpu_ns"] = Json::object();
  for (const auto& [cpu, stall] : t.hiccup_by_cpu_ns) by_cpu[std::to_string(cpu)] = stall;
  if (t.backend_lag_p99_ns) host["backend_lag_p99_ns"] = number(*t.backend_lag_p99_ns);
  if (t.backend_busy) host["backend_busy"] = number(*t.backend_busy);
  return host;
}

/// How it was asked, beyond the fields that stand at the top.
Json request_json(const TrialRequest& r) {
  return {{"closed", r.closed},
          {"think_ns", r.think.count()},
          {"window_ns", r.window.count()},
          {"warmup_ns", r.warmup.count()},
          {"drain_ns", r.drain.count()},
          {"arrivals", r.arrivals.to_string()},
          {"slo_ns", r.slo.count()},
          {"slo_percentile", r.slo_percentile},
          {"generator_cpus", r.generator_cpus.list()},
          {"model_cpus", r.model_cpus.list()},
          {"clock", r.clock == ClockKind::real ? "real" : "virtual"}};
}

TrialRequest request_from(const Json& json) {
  TrialRequest r;
  r.model = parse_spec(json.at("model").get<std::string>(), "model");
  r.workload = parse_spec(json.at("workload").get<std::string>(), "workload");
  read(json, "seed", r.seed);
  read(json, "rate_per_s", r.rate_per_s);
  const Json& asked = child(json, "request");
  read(asked, "closed", r.closed);
  read_ns(asked, "think_ns", r.think);
  read_ns(asked, "window_ns", r.window);
  read_ns(asked, "warmup_ns", r.warmup);
  read_ns(asked, "drain_ns", r.drain);
  read_ns(asked, "slo_ns", r.slo);
  read(asked, "slo_percentile", r.slo_percentile);
  std::string text;
  read(asked, "arrivals", text);
  // A trace's file may be gone by now; what was measured does not depend on it.
  if (!text.empty() && !text.starts_with("trace")) r.arrivals = Arrivals::parse(text);
  r.generator_cpus = cpus_from(asked, "generator_cpus");
  r.model_cpus = cpus_from(asked, "model_cpus");
  text.clear();
  read(asked, "clock", text);
  r.clock = text == "virtual" ? ClockKind::virtual_time : ClockKind::real;
  return r;
}

}  // namespace

Json to_json(const Trial& t) {
  const TrialRequest& r = t.request;
  Json json = {
      {"schema", kSchema},
      {"model", r.model.to_string()},
      {"workload", r.workload.to_string()},
      {"seed", r.seed},
      {"rate_per_s", number(r.rate_per_s)},
      {"offered_per_s", number(t.offered_per_s)},
      {"goodput_per_s", number(t.goodput_per_s)},
      {"counts", counts_json(t.counts)},
      {"response_ns", percentiles_json(t.response)},
      {"lag_ns", percentiles_json(t.lag)},
      {"self_lag_ns", percentiles_json(t.self_lag)},
      {"model_lag_ns", percentiles_json(t.model_lag)},
      {"submit_ns", percentiles_json(t.submit)},
      {"residence_ns", percentiles_json(t.residence)},
      {"slo_percentile_ns", t.response.known ? Json(t.slo_percentile_ns) : Json(nullptr)},
      {"response_bound_from_ns",
       t.response_bound_from_ns ? Json(*t.response_bound_from_ns) : Json(nullptr)},
      {"response_deviation_ns",
       {{"value", number(t.response_scatter.deviation)},
        {"of_batches", number(t.response_scatter.of_batches)}}},
      {"cpu_ns_per_request",
       {{"model", number(t.cpu_model_ns)}, {"generator", number(t.cpu_generator_ns)}}},
      {"context_switches_per_request", number(t.context_switches_per_request)},
      {"peak_rss_bytes", or_null(t.peak_rss_bytes)},
      {"little",
       {{"in_flight_mean", number(t.in_flight_mean)}, {"relative_error", number(t.little_error)}}},
      {"in_flight_slope_per_s",
       {{"value", number(t.in_flight_slope_per_s)}, {"low", number(t.in_flight_slope_low)}}},
      {"drain", {{"backlog", t.backlog}, {"seconds", number(t.drain_s)}}},
      {"host", host_json(t)},
      {"checksum", fmt::format("{:016x}", t.checksum)},
      {"loss", number(t.loss())},
      {"stable", t.stable},
      {"valid", t.valid},
      {"drained", t.drained},
      {"no_spin", t.no_spin},
      {"model_fault", t.model_fault}};
  Json& reasons = json["invalid_reasons"] = Json::array();
  for (const InvalidReason& reason : t.invalid_reasons)
    reasons.push_back({{"cause", reason.cause}, {"gate", reason.gate}, {"text", reason.text}});
  Json& refusals = json["refusals"] = Json::object();
  for (const auto& [why, times] : t.refusals) refusals[why] = times;
  Json& errors = json["errors"] = Json::object();
  for (const auto& [error, times] : t.errors) errors[std::to_string(error)] = times;
  Json& stats = json["model_stats"] = Json::object();
  for (const auto& [name, value] : t.model_stats) stats[name] = number(value);
  json["note"] = t.note;
  json["elapsed_s"] = number(t.elapsed_s);
  json["request"] = request_json(r);
  return json;
}

Trial trial_from_json(const Json& json) {
  Trial t;
  t.request = request_from(json);
  read(json, "offered_per_s", t.offered_per_s);
  read(json, "goodput_per_s", t.goodput_per_s);
  const Json& counts = child(json, "counts");
  read(counts, "scheduled", t.counts.scheduled);
  read(counts, "sent", t.counts.sent);
  read(counts, "unsent", t.counts.unsent);
  read(counts, "completed", t.counts.completed);
  read(counts, "failed", t.counts.failed);
  read(counts, "shed", t.counts.shed);
  read(counts, "unfinished", t.counts.unfinished);
  t.response = percentiles_from(json, "response_ns");
  t.lag = percentiles_from(json, "lag_ns");
  t.self_lag = percentiles_from(json, "self_lag_ns");
  t.model_lag = percentiles_from(json, "model_lag_ns");
  t.submit = percentiles_from(json, "submit_ns");
  t.residence = percentiles_from(json, "residence_ns");
  read(json, "slo_percentile_ns", t.slo_percentile_ns);
  if (const auto bound = json.find("response_bound_from_ns");
      bound != json.end() && !bound->is_null())
    t.response_bound_from_ns = whole<std::int64_t>(*bound);
  read(child(json, "response_deviation_ns"), "value", t.response_scatter.deviation);
  read(child(json, "response_deviation_ns"), "of_batches", t.response_scatter.of_batches);
  read(child(json, "cpu_ns_per_request"), "model", t.cpu_model_ns);
  read(child(json, "cpu_ns_per_request"), "generator", t.cpu_generator_ns);
  read(json, "context_switches_per_request", t.context_switches_per_request);
  read(json, "peak_rss_bytes", t.peak_rss_bytes);
  read(child(json, "little"), "in_flight_mean", t.in_flight_mean);
  read(child(json, "little"), "relative_error", t.little_error);
  read(child(json, "in_flight_slope_per_s"), "value", t.in_flight_slope_per_s);
  read(child(json, "in_flight_slope_per_s"), "low", t.in_flight_slope_low);
  read(child(json, "drain"), "backlog", t.backlog);
  read(child(json, "drain"), "seconds", t.drain_s);
  const Json& host = child(json, "host");
  read(host, "steal_percent", t.steal_percent);
  read(host, "steal_ticks", t.steal_ticks);
  read(host, "cpu_seconds", t.cpu_seconds);
  read(host, "hiccup_max_ns", t.hiccup_max_ns);
  read(host, "hiccup_all_ns", t.hiccup_all_ns);
  read(host, "run_queue_wait_ns", t.run_queue_wait_ns);
  for (const auto& [cpu, stall] : child(host, "hiccup_by_cpu_ns").items())
    t.hiccup_by_cpu_ns[whole_text<int>(cpu)] = whole<std::int64_t>(stall);
  read(host, "neighbours_cpu_ns", t.neighbours.took_ns);
  read(host, "neighbours_deviation_ns", t.neighbours.deviation_ns);
  read(host, "watched_ns", t.neighbours.elapsed_ns);
  read(host, "speed_ns", t.speed_ns);
  if (host.contains("backend_lag_p99_ns"))
    read(host, "backend_lag_p99_ns", t.backend_lag_p99_ns.emplace());
  if (host.contains("backend_busy")) read(host, "backend_busy", t.backend_busy.emplace());
  std::string checksum;
  read(json, "checksum", checksum);
  std::from_chars(checksum.data(), checksum.data() + checksum.size(), t.checksum, 16);
  read(json, "stable", t.stable);
  read(json, "valid", t.valid);
  read(json, "drained", t.drained);
  read(json, "no_spin", t.no_spin);
  read(json, "model_fault", t.model_fault);
  for (const Json& reason : child(json, "invalid_reasons")) {
    InvalidReason& into = t.invalid_reasons.emplace_back();
    read(reason, "cause", into.cause);
    read(reason, "gate", into.gate);
    read(reason, "text", into.text);
  }
  for (const auto& [why, times] : child(json, "refusals").items())
    t.refusals[why] = whole<std::uint64_t>(times);
  for (const auto& [error, times] : child(json, "errors").items())
    t.errors[whole_text<int>(error)] = whole<std::uint64_t>(times);
  for (const auto& [name, value] : child(json, "model_stats").items())
    t.model_stats.emplace_back(name, value.is_null() ? kNaN : value.get<double>());
  read(json, "note", t.note);
  read(json, "elapsed_s", t.elapsed_s);
  return t;
}

}  // namespace precipice
