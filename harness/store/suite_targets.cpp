#include "harness/store/suite_targets.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <filesystem>
#include <memory>
#include <utility>

#include "harness/drive/drive_trial.hpp"
#include "harness/store/durable_file.hpp"
#include "harness/store/toml_text.hpp"
#include "harness/trial/spec.hpp"
#include "models/model.hpp"

namespace precipice {
namespace {

constexpr std::size_t kMostTargets = 50;

/// Claims and the journal use it as the name of a series.
void check_name(const std::string& name) {
  const bool plain = !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
                     std::all_of(name.begin(), name.end(),
                                 [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
  if (!plain) throw UsageError("is a name of letters, digits and '_', and begins with no digit");
  for (const ModelInfo& model : models()) {
    if (model.name == name) throw UsageError("is the name of a model; choose another one");
  }
}

std::string beside(std::string_view suite, const std::string& path) {
  if (path.empty() || path.starts_with('/')) return path;
  return (std::filesystem::path(suite).parent_path() / path).string();
}

std::vector<std::string> texts_of(const Place& place, const toml::table& table,
                                  std::string_view key) {
  std::vector<std::string> texts;
  const toml::node* node = table.get(key);
  if (node == nullptr) return texts;
  const std::string path = fmt::format("target.{}", key);
  const toml::array* list = node->as_array();
  if (list == nullptr)
    throw place.error(node->source(), path, "should be a list, as in [\"Accept: text/plain\"]");
  for (const toml::node& each : *list) texts.push_back(scalar_text(place, path, each));
  return texts;
}

Target target_of(const Place& place, const toml::table& table, bool with_files, Slo& slo) {
  const Section section(place, "target", table,
                        {"name", "url", "connections", "threads", "method", "headers", "body",
                         "expect", "timeout", "connection_per_request", "requests_per_connection",
                         "slow_clients", "slow", "slow_interval", "insecure", "max_rate", "slo"});
  Target target;
  section.text("name", [&](const std::string& name) {
    check_name(name);
    target.name = name;
  });
  if (target.name.empty())
    throw place.error(table.source(), "target.name", "is missing: tables and claims use it");
  section.text("url", [&](const std::string& url) { target.url = url; });
  section.integer("connections", 1, Target::kMostConnections, target.connections);
  section.integer("threads", 1, Target::kMostThreads, target.threads);
  section.text("method", [&](const std::string& method) { target.method = method; });
  target.headers = texts_of(place, table, "headers");
  const auto file = [&](std::string_view key, std::string& path, std::string& content) {
    section.text(key, [&](const std::string& given) {
      path = beside(place.file(), given);
      if (with_files) content = read_file(path);
    });
  };
  file("body", target.body_file, target.body);
  file("expect", target.expected_file, target.expected);
  section.duration("timeout", std::chrono::milliseconds(1), std::chrono::hours(1), target.timeout);
  section.flag("connection_per_request", target.connection_per_request);
  section.integer("requests_per_connection", 0, Target::kMostRequestsPerConnection,
                  target.requests_per_connection);
  // One connection each, whose making is a part of the request.
  if (target.requests_per_connection == 1) target.connection_per_request = true;
  section.integer("slow_clients", 0, SlowClients::kMost, target.slow.count);
  section.text("slow", [&](const std::string& kind) { target.slow.kind = parse_slow_kind(kind); });
  section.duration("slow_interval", std::chrono::milliseconds(10), std::chrono::hours(1),
                   target.slow.interval);
  for (const char* key : {"slow", "slow_interval"}) {
    const toml::node* node = table.get(key);
    if (node != nullptr && target.slow.count == 0)
      throw place.error(node->source(), fmt::format("target.{}", key),
                        "says how slow clients are, and there are none: give slow_clients too");
  }
  section.flag("insecure", target.insecure);
  if (const toml::node* node = table.get("max_rate")) {
    const auto value = node->value<double>();
    if (!value || !(*value > 0) || *value > kHighestRatePerS)
      throw place.error(node->source(), "target.max_rate", "should be a rate per second, above 0");
    target.max_rate_per_s = *value;
  }
  section.text("slo", [&](const std::string& text) { slo = parse_slo(text); });
  const toml::node* url = table.get("url");
  if (url == nullptr) throw place.error(table.source(), "target.url", "is missing");
  place.at(url->source(), "target", [&] { check_target(target); });
  return target;
}

}  // namespace

void read_targets(const Place& place, const toml::table& root, bool with_files, Plan& plan) {
  const Spec workload{std::string(kTargetWorkload), {}};
  Slo common;
  each_table(place, root, "target", [&](const toml::table& table) {
    Slo own;
    Target target = target_of(place, table, with_files, own);
    const bool first = plan.targets.empty();
    if (!first && own.text != common.text) {
      throw place.error(table.source(), "target.slo",
                        "differs from the target before it: they are compared under one SLO");
    }
    common = own;
    const Spec model{target.name, {}};
    if (plan.targets.size() >= kMostTargets)
      throw place.error(table.source(), "target", fmt::format("at most {} of them", kMostTargets));
    if (!plan.targets.emplace(model.to_string(), std::make_shared<const Target>(std::move(target)))
             .second)
      throw place.error(table.source(), "target", fmt::format("'{}' is there twice", model.name));
    plan.models.push_back(model);
  });
  if (plan.targets.empty()) return;
  plan.workloads.push_back(workload);
  if (!common.text.empty()) plan.workload_slo[workload.to_string()] = common;
  if (const Slo& slo = plan.slo_of(workload); slo.text.empty() || slo.times_service > 0) {
    throw place.error(
        "slo: state a time, as in slo = \"p99 < 20ms\", at the head of the suite or in each "
        "[[target]]: S of a server is not known before it is asked");
  }
}

std::string targets_toml(const Plan& plan) {
  std::string text;
  for (const Spec& model : plan.models) {
    const auto target = plan.target_of(model);
    if (target == nullptr) continue;
    text += fmt::format(
        "\n[[target]]\nname = {}\nurl = {}\nconnections = {}\nthreads = {}\nmethod = {}\n",
        in_quotes(target->name), in_quotes(target->url), target->connections, target->threads,
        in_quotes(target->method));
    if (!target->headers.empty()) {
      std::string list;
      for (const std::string& header : target->headers)
        list += fmt::format("{}{}", list.empty() ? "" : ", ", in_quotes(header));
      text += fmt::format("headers = [{}]\n", list);
    }
    if (!target->body_file.empty())
      text += fmt::format("body = {}\n", in_quotes(target->body_file));
    if (!target->expected_file.empty())
      text += fmt::format("expect = {}\n", in_quotes(target->expected_file));
    text += fmt::format("timeout = {}\nconnection_per_request = {}\ninsecure = {}\n",
                        in_quotes(exact_duration(target->timeout)), target->connection_per_request,
                        target->insecure);
    if (target->requests_per_connection > 0)
      text += fmt::format("requests_per_connection = {}\n", target->requests_per_connection);
    if (target->slow.count > 0)
      text += fmt::format("slow_clients = {}\nslow = {}\nslow_interval = {}\n", target->slow.count,
                          in_quotes(std::string(to_string(target->slow.kind))),
                          in_quotes(exact_duration(target->slow.interval)));
    if (target->max_rate_per_s > 0) text += fmt::format("max_rate = {}\n", target->max_rate_per_s);
    const auto slo = plan.workload_slo.find(std::string(kTargetWorkload));
    if (slo != plan.workload_slo.end())
      text += fmt::format("slo = {}\n", in_quotes(to_string(slo->second)));
  }
  return text;
}

std::string targets_contents(const Plan& plan) {
  std::string text;
  for (const auto& [name, target] : plan.targets)
    text += fmt::format("{} {} {} {} {}", name, target->body.size(), target->body,
                        target->expected.size(), target->expected);
  return text;
}

}  // namespace precipice
