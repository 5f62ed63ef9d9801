#include "harness/store/network_fields.hpp"

#include <nlohmann/json.hpp>

#include "harness/store/trial_field_makers.hpp"
#include "harness/trial/network_figures.hpp"
#include "harness/trial/target.hpp"

namespace precipice {
namespace {

template <class Value>
TrialField network_field(std::string_view name, const char* unit, const char* meaning,
                         Value NetworkFigures::*member) {
  return grouped("network", name, unit, meaning, &Trial::network, member);
}

/// Bodies, and the values of headers, which may be secrets, are not kept.
Json target_json(const Target& target) {
  Json names = Json::array();
  for (const std::string& header : target.headers)
    names.push_back(header.substr(0, header.find(':')));
  return {{"name", target.name},
          {"url", target.url},
          {"method", target.method},
          {"headers", names},
          {"body", target.body_file},
          {"expected", target.expected_file},
          {"connections", target.connections},
          {"threads", target.threads},
          {"connection_per_request", target.connection_per_request},
          {"requests_per_connection", target.requests_per_connection},
          {"slow_clients", target.slow.count},
          {"slow", to_string(target.slow.kind)},
          {"slow_interval_ns", target.slow.interval.count()},
          {"insecure", target.insecure},
          {"timeout_ns", target.timeout.count()},
          {"max_rate_per_s", target.max_rate_per_s}};
}

std::shared_ptr<const Target> target_from(const Json& json) {
  auto target = std::make_shared<Target>();
  read(json, "name", target->name);
  read(json, "url", target->url);
  read(json, "method", target->method);
  read(json, "body", target->body_file);
  read(json, "expected", target->expected_file);
  read(json, "connections", target->connections);
  read(json, "threads", target->threads);
  read(json, "connection_per_request", target->connection_per_request);
  read(json, "insecure", target->insecure);
  // Files of versions without slow clients have none of these.
  if (json.contains("slow_clients")) {
    std::string kind;
    std::int64_t interval_ns = 0;
    read(json, "requests_per_connection", target->requests_per_connection);
    read(json, "slow_clients", target->slow.count);
    read(json, "slow", kind);
    read(json, "slow_interval_ns", interval_ns);
    target->slow.kind = parse_slow_kind(kind);
    target->slow.interval = Nanos(interval_ns);
  }
  std::int64_t timeout_ns = 0;
  read(json, "timeout_ns", timeout_ns);
  target->timeout = Nanos(timeout_ns);
  read(json, "max_rate_per_s", target->max_rate_per_s);
  return target;
}

TrialField connection_wait() {
  const auto get = [](auto& trial) -> auto& { return trial.connection_wait; };
  TrialField made = percentiles(
      "/connection_wait_ns",
      "over sockets: from when the client took a request up until a connection was free for it; "
      "lag_ns is before it and residence_ns, the time on the wire, behind it",
      get, std::pair("connection_wait_p99_ns", &Percentiles::p99));
  made.value = [](const Trial& trial) -> std::optional<Json> {
    if (!trial.network) return std::nullopt;
    return json_of(trial.connection_wait);
  };
  return made;
}

}  // namespace

std::vector<TrialField> network_fields() {
  using N = NetworkFigures;
  return {
      {.pointer = "/target",
       .unit = "",
       .meaning =
           "the server: name, url, method, headers (their names), body and expected (files), "
           "connections, threads, connection_per_request, requests_per_connection (0: no bound), "
           "slow_clients, slow and slow_interval_ns (how they are slow), insecure, timeout_ns and "
           "max_rate_per_s (0: no bound); left out of trials of this program's models",
       .value = [](const Trial& t) -> std::optional<Json> {
         if (t.request.target == nullptr) return std::nullopt;
         return target_json(*t.request.target);
       },
       .take = [](const Json& json, Trial& t) { t.request.target = target_from(json); }},
      connection_wait(),
      network_field("connections", "", "of the client", &N::connections),
      network_field("threads", "", "of the client", &N::threads),
      network_field("connects", "", "connections made during the trial, in place of lost ones",
                    &N::connects),
      network_field("failed_connects", "", "attempts at one that failed", &N::failed_connects),
      network_field("all_busy", "", "share of the window with no connection free", &N::all_busy),
      network_field(
          "on_time", "",
          "share of the arrivals that the client took up within max(50 us, 2% of the SLO)",
          &N::on_time),
      network_field("client_busy", "",
                    "share of the window in which the client's busiest thread was at work",
                    &N::client_busy),
      network_field("partial_sends", "", "times that the kernel took a part of a request alone",
                    &N::partial_sends),
      network_field("slow_clients", "",
                    "connections beside those of the requests that send or take next to nothing",
                    &N::slow_clients),
      network_field("slow_lost", "", "times that one of them was closed by the server",
                    &N::slow_lost),
      network_field("listen_overflows", "",
                    "connections that found a full accept queue on this machine; null where that "
                    "is not shown",
                    &N::listen_overflows),
      network_field("connections_bound", "",
                    "the SLO was kept on the wire and missed for want of a free connection",
                    &N::connections_bound),
      {.pointer = "/network/errors",
       .unit = "requests",
       .meaning = "failed requests by kind: connect, tls, timeout, reset, closed, protocol, "
                  "wrong_answer, status_3xx, status_4xx, status_5xx",
       .value = [](const Trial& t) -> std::optional<Json> {
         if (!t.network) return std::nullopt;
         Json all = Json::object();
         for (const auto& [kind, times] : t.network->errors) all[kind] = times;
         return all;
       },
       .take =
           [](const Json& json, Trial& t) {
             if (!t.network) t.network.emplace();
             for (const auto& [kind, times] : json.items())
               t.network->errors[kind] = whole<std::uint64_t>(times);
           }},
  };
}

}  // namespace precipice
