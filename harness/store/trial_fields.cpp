#include "harness/store/trial_fields.hpp"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "harness/capacity/summarise_cell.hpp"
#include "harness/store/network_fields.hpp"
#include "harness/store/trial_field_makers.hpp"
#include "harness/store/trial_parts_json.hpp"
#include "harness/trial/policy_chain.hpp"
#include "harness/trial/spec.hpp"

namespace precipice {
namespace {

// Members by name, for a Trial that is const or not.
#define OF(member) \
  [](auto& trial) -> auto& { return trial.member; }

TrialField attempt_field(std::string_view name, const char* meaning,
                         std::uint64_t AttemptFigures::*member) {
  return grouped("attempts", name, "attempts", meaning, &Trial::attempts, member);
}
/// The same, with what the summary says of a cell as a column: empty without a policy.
TrialField attempt_field(std::string_view name, const char* meaning,
                         std::uint64_t AttemptFigures::*member, const char* column,
                         double (*share)(const Trial&)) {
  TrialField made = attempt_field(name, meaning, member);
  made.columns.push_back({column, [share](const Trial& trial) { return text_of(share(trial)); }});
  return made;
}
TrialField batch_field(std::string_view name, const char* meaning, double BatchFigures::*member) {
  return grouped("batch", name, "requests", meaning, &Trial::batch, member);
}

std::vector<TrialField> make_fields() {
  using P = Percentiles;
  return {
      special(
          "/model", "", "the series: a model with its options, and what its policies are called",
          [](const Trial& t) -> Json { return t.request.model.to_string(); },
          [](const Json& json, Trial& t) {
            t.request.model = parse_series(json.get<std::string>(), "model");
          }),
      {.pointer = "/policy",
       .unit = "",
       .meaning = "the policies before the model, outer first; left out without any",
       .value = [](const Trial& t) -> std::optional<Json> {
         if (t.request.policies.empty()) return std::nullopt;
         return to_string(t.request.policies);
       },
       .take = [](const Json& json,
                  Trial& t) { t.request.policies = parse_policies(json.get<std::string>()); }},
      special(
          "/workload", "", "a workload with its options",
          [](const Trial& t) -> Json { return t.request.workload.to_string(); },
          [](const Json& json, Trial& t) {
            t.request.workload = parse_spec(json.get<std::string>(), "workload");
          }),
      field("/seed", "", "of arrivals and draws", OF(request.seed)),
      field("/rate_per_s", "1/s", "the rate asked for; 0 in a closed loop", OF(request.rate_per_s),
            "rate_per_s"),
      field("/offered_per_s", "1/s", "scheduled in the window (closed loop: issued)",
            OF(offered_per_s), "offered_per_s"),
      field("/goodput_per_s", "1/s",
            "completed inside the window with the right digest, whenever they arrived",
            OF(goodput_per_s), "goodput_per_s"),
      field("/counts/scheduled", "requests", "of the window: sent + unsent", OF(counts.scheduled),
            "requests"),
      field("/counts/sent", "requests", "completed + failed + shed + unfinished", OF(counts.sent)),
      field("/counts/unsent", "requests", "not submitted before the drain deadline",
            OF(counts.unsent)),
      field("/counts/completed", "requests", "ended with the right digest", OF(counts.completed)),
      field("/counts/failed", "requests", "ended with an error or a wrong digest",
            OF(counts.failed)),
      field("/counts/shed", "requests", "refused by the model, see refusals", OF(counts.shed)),
      field("/counts/unfinished", "requests", "cut off at the drain deadline",
            OF(counts.unfinished)),
      percentiles("/response_ns",
                  "completion - intended arrival: mean, p50, p90, p95, p99, p999, max; unfinished "
                  "requests count as at the drain deadline",
                  OF(response), std::pair("mean_ns", &P::mean), std::pair("p50_ns", &P::p50),
                  std::pair("p90_ns", &P::p90), std::pair("p95_ns", &P::p95),
                  std::pair("p99_ns", &P::p99), std::pair("p999_ns", &P::p999),
                  std::pair("max_ns", &P::max)),
      percentiles("/lag_ns", "submission - intended arrival", OF(lag)),
      percentiles("/self_lag_ns", "the generator's own part of the lag", OF(self_lag),
                  std::pair("self_lag_p99_ns", &P::p99)),
      percentiles("/model_lag_ns", "the part of the lag that the model's submit caused",
                  OF(model_lag)),
      percentiles("/submit_ns", "duration of submit", OF(submit),
                  std::pair("submit_p50_ns", &P::p50), std::pair("submit_p99_ns", &P::p99)),
      percentiles("/residence_ns", "completion - begin of execution", OF(residence)),
      special(
          "/slo_percentile_ns", "ns", "the response at the SLO's percentile",
          [](const Trial& t) {
            return t.response.known ? Json(t.slo_percentile_ns) : Json(nullptr);
          },
          [](const Json& json, Trial& t) { take_into(json, t.slo_percentile_ns); },
          {{"slo_percentile_ns",
            [](const Trial& t) {
              return t.response.known ? text_of(t.slo_percentile_ns) : std::string();
            }}}),
      field("/response_bound_from_ns", "ns",
            "the shortest response that the drain deadline cut off: figures of response_ns that "
            "are as long are lower bounds; null where every request ended",
            OF(response_bound_from_ns)),
      field("/response_deviation_ns/value", "ns", "standard deviation of the responses",
            OF(response_scatter.deviation)),
      field("/response_deviation_ns/of_batches", "ns",
            "standard deviation of the means of ten batches of them: with value it gives the "
            "autocorrelation time",
            OF(response_scatter.of_batches)),
      field("/cpu_ns_per_request/model", "ns", "CPU time on the model's CPUs", OF(cpu_model_ns),
            "cpu_model_ns"),
      field("/cpu_ns_per_request/generator", "ns", "CPU time on the generator's CPUs",
            OF(cpu_generator_ns), "cpu_generator_ns"),
      field("/context_switches_per_request", "1/request",
            "of the model's threads, voluntary and not; null where the kernel counts none",
            OF(context_switches_per_request), "context_switches_per_request"),
      field("/peak_rss_bytes", "bytes",
            "of the process during the trial; null where /proc/self/clear_refs cannot be written",
            OF(peak_rss_bytes), "peak_rss_bytes"),
      field("/little/in_flight_mean", "requests", "in flight on average", OF(in_flight_mean),
            "in_flight_mean"),
      field("/little/relative_error", "", "between stamps and the in-flight counter",
            OF(little_error)),
      field("/in_flight_slope_per_s/value", "1/s", "growth of the backlog (Theil-Sen)",
            OF(in_flight_slope_per_s)),
      field("/in_flight_slope_per_s/low", "1/s",
            "lower bound of its interval; the lower of 0 and the slope where it is tolerated",
            OF(in_flight_slope_low)),
      field("/drain/backlog", "requests",
            "accepted before the end of the window and not ended by then", OF(backlog)),
      field("/drain/seconds", "s",
            "from there until the last of them had ended, or to the drain deadline, see drained",
            OF(drain_s)),
      field("/host/steal_percent", "%",
            "CPU time that the hypervisor took; null where the kernel does not show it",
            OF(steal_percent), "steal_percent"),
      field("/host/steal_ticks", "ticks", "the same", OF(steal_ticks)),
      field("/host/cpu_seconds", "s", "watched CPUs x time", OF(cpu_seconds)),
      field("/host/hiccup_max_ns", "ns", "the longest stall that the probes saw", OF(hiccup_max_ns),
            "hiccup_max_ns"),
      field("/host/hiccup_all_ns", "ns", "the longest that all CPUs saw together",
            OF(hiccup_all_ns)),
      field("/host/run_queue_wait_ns", "ns",
            "how long a thread that wakes on the model's CPUs waits for one, by the probes' "
            "wake-ups; null where the kernel hides it",
            OF(run_queue_wait_ns)),
      field("/host/neighbours_cpu_ns", "ns",
            "what other processes took of the watched CPUs, negative by noise",
            OF(neighbours.took_ns)),
      field("/host/neighbours_deviation_ns", "ns", "its standard deviation",
            OF(neighbours.deviation_ns)),
      field("/host/watched_ns", "ns", "the time over which that was watched",
            OF(neighbours.elapsed_ns)),
      field("/host/speed_ns", "ns", "duration of the machine-speed probe before the trial",
            OF(speed_ns), "speed_ns"),
      special(
          "/host/hiccup_by_cpu_ns", "ns", "the longest stall of each CPU",
          [](const Trial& t) {
            Json all = Json::object();
            for (const auto& [cpu, stall] : t.hiccup_by_cpu_ns) all[std::to_string(cpu)] = stall;
            return all;
          },
          [](const Json& json, Trial& t) {
            for (const auto& [cpu, stall] : json.items())
              t.hiccup_by_cpu_ns[whole_text<int>(cpu)] = whole<std::int64_t>(stall);
          }),
      only_where_known(field("/host/backend_lag_p99_ns", "ns", "rpc: the backend's own lag",
                             OF(backend_lag_p99_ns)),
                       OF(backend_lag_p99_ns)),
      only_where_known(field("/host/backend_busy", "",
                             "rpc, redis, postgres: the share of its CPUs that the server used",
                             OF(backend_busy)),
                       OF(backend_busy)),
      attempt_field("begun", "handed to the model by policies: the sum of the others",
                    &AttemptCounts::begun, "attempts_per_request", attempts_per_request),
      attempt_field("won", "succeeded and ended their request", &AttemptCounts::won, "wasted",
                    wasted_share),
      attempt_field("lost", "succeeded after their request had ended", &AttemptCounts::lost),
      attempt_field("failed", "ended with an error", &AttemptCounts::failed),
      attempt_field("cancelled", "ended before they executed, as another one had begun",
                    &AttemptCounts::cancelled),
      attempt_field("refused", "by the model", &AttemptCounts::refused),
      attempt_field("unfinished", "cut off by the shutdown", &AttemptCounts::unfinished),
      grouped("attempts", "executing_mean", "attempts",
              "executing at once, on average over the window", &Trial::attempts,
              &AttemptFigures::executing_mean),
      grouped("attempts", "execution_mean_ns", "ns",
              "end - begin of execution of an attempt, on average; cancelled ones are left out",
              &Trial::attempts, &AttemptFigures::execution_mean_ns),
      grouped("attempts", "relative_error", "",
              "between the sum of these times and the counter of attempts that execute",
              &Trial::attempts, &AttemptFigures::little_error),
      batch_field("mean", "requests of a batch, on average", &BatchFigures::mean),
      batch_field("p99", "requests of a batch, 99th percentile", &BatchFigures::p99),
      only_where_known(field("/policy_lag_p99_ns", "ns", "lateness of the policies' timers",
                             OF(policy_lag_p99_ns)),
                       OF(policy_lag_p99_ns)),
      special(
          "/checksum", "", "hex: the sum of the digests of the window's completed requests",
          [](const Trial& t) -> Json { return fmt::format("{:016x}", t.checksum); },
          [](const Json& json, Trial& t) {
            std::string text;
            take_into(json, text);
            std::from_chars(text.data(), text.data() + text.size(), t.checksum, 16);
          }),
      special("/loss", "", "the share of requests that were shed, failed or unfinished",
              [](const Trial& t) { return number(t.loss()); }, nullptr,
              {{"loss", [](const Trial& t) { return text_of(t.loss()); }}}),
      field("/stable", "", "the backlog does not grow", OF(stable), "stable"),
      field("/valid", "", "every gate held", OF(valid), "valid"),
      field("/drained", "", "everything ended before the drain deadline", OF(drained)),
      field("/no_spin", "", "the generator shared its CPU and slept between arrivals", OF(no_spin)),
      field("/model_fault", "", "a wrong digest, a lost or a doubled request", OF(model_fault)),
      special(
          "/invalid_reasons", "",
          "each {\"cause\": generator, host, backend, model or window; \"gate\"; \"text\"}",
          [](const Trial& t) {
            Json reasons = Json::array();
            for (const InvalidReason& reason : t.invalid_reasons)
              reasons.push_back({{"cause", to_string(reason.cause)},
                                 {"gate", to_string(reason.gate)},
                                 {"text", reason.text}});
            return reasons;
          },
          [](const Json& json, Trial& t) {
            for (const Json& reason : json) {
              InvalidReason& into = t.invalid_reasons.emplace_back();
              std::string cause, gate;
              read(reason, "cause", cause);
              read(reason, "gate", gate);
              into.cause = cause_named(cause);
              into.gate = gate_named(gate);
              read(reason, "text", into.text);
            }
          },
          {{"invalid_cause",
            [](const Trial& t) {
              return t.invalid_reasons.empty()
                         ? std::string()
                         : std::string(to_string(t.invalid_reasons.front().cause));
            }}}),
      special(
          "/refusals", "requests", "shed requests by reason",
          [](const Trial& t) {
            Json all = Json::object();
            for (const auto& [why, times] : t.refusals) all[why] = times;
            return all;
          },
          [](const Json& json, Trial& t) {
            for (const auto& [why, times] : json.items())
              t.refusals[why] = whole<std::uint64_t>(times);
          }),
      special(
          "/errors", "requests", "failed requests by errno",
          [](const Trial& t) {
            Json all = Json::object();
            for (const auto& [error, times] : t.errors) all[std::to_string(error)] = times;
            return all;
          },
          [](const Json& json, Trial& t) {
            for (const auto& [error, times] : json.items())
              t.errors[whole_text<int>(error)] = whole<std::uint64_t>(times);
          }),
      special(
          "/model_stats", "", "the engine's own counters",
          [](const Trial& t) {
            Json all = Json::object();
            for (const auto& [name, value] : t.model_stats) all[name] = number(value);
            return all;
          },
          [](const Json& json, Trial& t) {
            for (const auto& [name, value] : json.items())
              t.model_stats.emplace_back(name, value.is_null() ? kNaN : value.get<double>());
          }),
      field("/note", "", "what a reader must know of how it ran", OF(note)),
      field("/elapsed_s", "s", "wall time, set-up included", OF(elapsed_s)),
      field("/request/closed", "requests", "kept in flight; 0 in an open loop", OF(request.closed),
            "closed"),
      field("/request/think_ns", "ns", "closed loop: pause before the next request",
            OF(request.think)),
      field("/request/window_ns", "ns", "in which requests count", OF(request.window)),
      field("/request/warmup_ns", "ns", "before the window", OF(request.warmup)),
      field("/request/drain_ns", "ns", "longest wait for the backlog after the window",
            OF(request.drain)),
      special(
          "/request/arrivals", "", "the arrival process",
          [](const Trial& t) -> Json { return t.request.arrivals.to_string(); },
          [](const Json& json, Trial& t) {
            std::string text;
            take_into(json, text);
            // A trace's file may be gone by now; what was measured does not depend on it.
            if (!text.empty() && !text.starts_with("trace"))
              t.request.arrivals = Arrivals::parse(text);
          }),
      {.pointer = "/request/trigger",
       .unit = "",
       .meaning = "what happened in the window; left out where nothing did",
       .value = [](const Trial& t) -> std::optional<Json> {
         if (!t.request.trigger) return std::nullopt;
         return t.request.trigger->to_string();
       },
       .take = [](const Json& json,
                  Trial& t) { t.request.trigger = Trigger::parse(json.get<std::string>()); },
       .columns = {{"trigger",
                    [](const Trial& t) {
                      return t.request.trigger ? t.request.trigger->to_string() : std::string();
                    }}}},
      {.pointer = "/classes",
       .unit = "",
       .meaning =
           "by class of requests: name, share and slo_ns (0: the cell's) as asked for; of the "
           "window requests, completed, loss, response_ns and slo_percentile_ns; left out "
           "without classes",
       .value = [](const Trial& t) -> std::optional<Json> {
         if (t.request.classes.empty()) return std::nullopt;
         return classes_json(t);
       },
       .take = take_classes},
      {.pointer = "/timeline",
       .unit = "",
       .meaning =
           "the window in slices, of a trial with a trigger: slice_s; offered, goodput, lost "
           "and attempts per second; p99_ns; what an adaptive policy adjusts (knob, "
           "knob_values); recovered_after_s",
       .value = [](const Trial& t) -> std::optional<Json> {
         if (!t.timeline) return std::nullopt;
         return timeline_json(*t.timeline);
       },
       .take = [](const Json& json, Trial& t) { t.timeline = timeline_from(json); }},
      field("/request/slo_ns", "ns", "the bound that gates used; 0: none was known",
            OF(request.slo)),
      field("/request/slo_percentile", "%", "of the SLO", OF(request.slo_percentile),
            "slo_percentile"),
      field("/request/generator_cpus", "", "CPU numbers", OF(request.generator_cpus)),
      field("/request/model_cpus", "", "CPU numbers", OF(request.model_cpus)),
      special(
          "/request/clock", "", "real or virtual",
          [](const Trial& t) -> Json {
            return t.request.clock == ClockKind::real ? "real" : "virtual";
          },
          [](const Json& json, Trial& t) {
            std::string text;
            take_into(json, text);
            t.request.clock = text == "virtual" ? ClockKind::virtual_time : ClockKind::real;
          }),
  };
}

#undef OF

}  // namespace

const std::vector<TrialField>& trial_fields() {
  static const std::vector<TrialField> fields = [] {
    std::vector<TrialField> all = make_fields();
    for (TrialField& each : network_fields()) all.push_back(std::move(each));
    return all;
  }();
  return fields;
}

}  // namespace precipice
