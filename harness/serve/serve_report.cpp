#include "harness/serve/serve_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

namespace precipice::serve {
namespace {

double mean_response_ns(const ServerCounts& counts) {
  const std::uint64_t answered = counts.answered();
  return answered == 0
             ? 0
             : static_cast<double>(counts.response_sum_ns) / static_cast<double>(answered);
}

}  // namespace

double ServeReport::skew() const {
  std::uint64_t most = 0, sum = 0;
  for (const Share& share : executors) {
    most = std::max(most, share.connections);
    sum += share.connections;
  }
  return sum == 0 ? 1
                  : static_cast<double>(most) * static_cast<double>(executors.size()) /
                        static_cast<double>(sum);
}

Json to_json(const ServeReport& report) {
  const ServerCounts& counts = report.counts;
  Json statuses = Json::object(), buckets = Json::array(), executors = Json::array(),
       figures = Json::object();
  for (std::size_t i = 0; i < http::kStatuses.size(); ++i) {
    if (counts.by_status[i] > 0)
      statuses[std::to_string(static_cast<unsigned>(http::kStatuses[i]))] = counts.by_status[i];
  }
  for (std::size_t i = 0; i < counts.responses.size(); ++i) {
    if (counts.responses[i] == 0) continue;
    Json bucket = {{"count", counts.responses[i]}};
    bucket["up_to"] = i < kResponseBounds.size() ? Json(kResponseBounds[i]) : Json();
    buckets.push_back(std::move(bucket));
  }
  for (const ServeReport::Share& share : report.executors)
    executors.push_back({{"connections", share.connections}, {"requests", share.requests}});
  for (const auto& [name, value] : report.model_stats) figures[name] = number(value);
  Json result = {
      {"schema", kSchema},
      {"model", report.model},
      {"workload", report.workload},
      {"address", report.address},
      {"elapsed_s", number(report.elapsed_s)},
      {"connections",
       {{"accepted", report.accepted},
        {"refused", report.refused_connections},
        {"unfinished", report.unfinished_connections}}},
      {"requests",
       {{"begun", counts.requests},
        {"answered", counts.answered()},
        {"abandoned", counts.abandoned},
        {"malformed", counts.malformed},
        {"unfinished", report.unfinished_requests}}},
      {"by_status", std::move(statuses)},
      {"response_ns", {{"mean", mean_response_ns(counts)}, {"buckets", std::move(buckets)}}},
      {"executors", std::move(executors)},
      {"connection_skew", number(report.skew())},
      {"model_stats", std::move(figures)}};
  if (report.attempts) {
    const AttemptCounts& attempts = *report.attempts;
    result["attempts"] = {{"begun", attempts.begun},
                          {"won", attempts.won},
                          {"lost", attempts.lost},
                          {"failed", attempts.failed},
                          {"cancelled", attempts.cancelled},
                          {"refused", attempts.refused},
                          {"unfinished", attempts.unfinished}};
  }
  return result;
}

std::string to_text(const ServeReport& report) {
  const ServerCounts& counts = report.counts;
  std::string text =
      fmt::format("{} with {} served {} requests on {} connections in {:.1f} s\n", report.model,
                  report.workload, counts.answered(), report.accepted, report.elapsed_s);
  const auto out = std::back_inserter(text);
  for (std::size_t i = 0; i < http::kStatuses.size(); ++i) {
    if (counts.by_status[i] > 0)
      fmt::format_to(out, "  {} {:<32} {}\n", static_cast<unsigned>(http::kStatuses[i]),
                     http::reason_phrase(http::kStatuses[i]), counts.by_status[i]);
  }
  if (counts.abandoned > 0) {
    fmt::format_to(out, "  {} requests ended without an answer: their peers had gone\n",
                   counts.abandoned);
  }
  if (report.refused_connections > 0)
    fmt::format_to(out, "  {} connections were refused\n", report.refused_connections);
  if (report.unfinished_connections > 0) {
    fmt::format_to(out, "  not finished within the drain: {} requests on {} connections\n",
                   report.unfinished_requests, report.unfinished_connections);
  }
  if (report.executors.size() > 1) {
    fmt::format_to(out, "  connections of the executors:");
    for (const ServeReport::Share& share : report.executors)
      fmt::format_to(out, " {}", share.connections);
    fmt::format_to(out, " (skew {:.2f})\n", report.skew());
  }
  return text;
}

}  // namespace precipice::serve
