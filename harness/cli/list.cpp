// precipice list: what there is to measure, with every key and its default.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "harness/cli/common.hpp"
#include "models/model.hpp"
#include "workloads/workload.hpp"

namespace precipice::cli {
namespace {

Json keys_json(const std::vector<OptionKey>& keys) {
  Json json = Json::array();
  for (const OptionKey& key : keys)
    json.push_back({{"key", key.name}, {"default", key.fallback}, {"help", key.help}});
  return json;
}

void print_keys(const std::vector<OptionKey>& keys) {
  for (const OptionKey& key : keys) {
    const std::string shown =
        key.fallback.empty() ? std::string(key.name) : fmt::format("{}={}", key.name, key.fallback);
    fmt::print("      {:<24} {}\n", shown, key.help);
  }
}

}  // namespace

int list(const Arguments& arguments) {
  const std::string& what = arguments.what;
  if (!what.empty() && what != "models" && what != "workloads" && what != "suites") {
    const std::string near = nearest_name(what, {"models", "workloads", "suites"});
    throw UsageError(fmt::format("list '{}': there are models, workloads and suites{}", what,
                                 near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  }
  Json json = {{"schema", kSchema}};
  if (what.empty() || what == "models") {
    Json& entries = json["models"] = Json::array();
    if (!arguments.json) fmt::print("models\n");
    for (const ModelInfo& model : models()) {
      const auto why = model.unavailable();
      entries.push_back({{"name", model.name},
                         {"summary", model.summary},
                         {"control", model.control},
                         {"unavailable", why ? Json(*why) : Json(nullptr)},
                         {"options", keys_json(model.options)}});
      if (arguments.json) continue;
      fmt::print("  {:<20} {}{}\n", model.name, model.summary, model.control ? " (control)" : "");
      if (why) fmt::print("      unavailable: {}\n", *why);
      print_keys(model.options);
    }
  }
  if (what.empty() || what == "workloads") {
    Json& entries = json["workloads"] = Json::array();
    if (!arguments.json) fmt::print("workloads\n");
    for (const WorkloadInfo& workload : workloads()) {
      entries.push_back({{"name", workload.name},
                         {"summary", workload.summary},
                         {"control", workload.control},
                         {"waits", workload.waits},
                         {"options", keys_json(workload.options)}});
      if (arguments.json) continue;
      fmt::print("  {:<20} {}{}\n", workload.name, workload.summary,
                 workload.control ? " (control)" : "");
      print_keys(workload.options);
    }
  }
  if (what.empty() || what == "suites") {
    Json& entries = json["suites"] = Json::array();
    if (!arguments.json) fmt::print("suites\n");
    for (const auto& [name, path] : known_suites()) {
      entries.push_back({{"name", name}, {"path", path}});
      if (!arguments.json) fmt::print("  {:<20} {}\n", name, path);
    }
  }
  if (arguments.json) print_json(json);
  return kDone;
}

}  // namespace precipice::cli
