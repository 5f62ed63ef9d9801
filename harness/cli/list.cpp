// precipice list: what there is to measure, with every key and its default.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "harness/cli/common_options.hpp"
#include "harness/json.hpp"
#include "models/did_you_mean.hpp"
#include "models/model.hpp"
#include "models/policies/policy.hpp"
#include "workloads/workload.hpp"

namespace precipice::cli {
namespace {

struct ListArguments : CommonArguments {
  std::string what;
};

Json keys_json(const std::vector<OptionKey>& keys) {
  Json json = Json::array();
  for (const OptionKey& key : keys)
    json.push_back({{"key", key.name}, {"default", key.fallback}, {"help", key.help}});
  return json;
}

std::string keys_text(const std::vector<OptionKey>& keys) {
  std::string text;
  for (const OptionKey& key : keys) {
    const std::string shown =
        key.fallback.empty() ? std::string(key.name) : fmt::format("{}={}", key.name, key.fallback);
    text += fmt::format("      {:<24} {}\n", shown, key.help);
  }
  return text;
}

int list(const ListArguments& arguments) {
  const std::string& what = arguments.what;
  if (!what.empty() && what != "models" && what != "policies" && what != "workloads" &&
      what != "suites") {
    throw UsageError(
        fmt::format("list '{}': there are models, policies, workloads and suites{}", what,
                    did_you_mean(what, {"models", "policies", "workloads", "suites"})));
  }
  Json json = {{"schema", kSchema}};
  std::string text;
  if (what.empty() || what == "models") {
    Json& entries = json["models"] = Json::array();
    text += "models\n";
    for (const ModelInfo& model : models()) {
      const auto why = model.unavailable();
      entries.push_back({{"name", model.name},
                         {"summary", model.summary},
                         {"control", model.control},
                         {"unavailable", why ? Json(*why) : Json(nullptr)},
                         {"options", keys_json(model.options)}});
      text += fmt::format("  {:<20} {}{}\n", model.name, model.summary,
                          model.control ? " (control)" : "");
      if (why) text += fmt::format("      unavailable: {}\n", *why);
      text += keys_text(model.options);
    }
  }
  if (what.empty() || what == "policies") {
    Json& entries = json["policies"] = Json::array();
    text += "policies\n";
    for (const PolicyInfo& policy : policies()) {
      entries.push_back({{"name", policy.name},
                         {"summary", policy.summary},
                         {"options", keys_json(policy.options)}});
      text += fmt::format("  {:<20} {}\n", policy.name, policy.summary);
      text += keys_text(policy.options);
    }
  }
  if (what.empty() || what == "workloads") {
    Json& entries = json["workloads"] = Json::array();
    text += "workloads\n";
    for (const WorkloadInfo& workload : workloads()) {
      const auto why = workload.unavailable ? workload.unavailable() : std::nullopt;
      entries.push_back({{"name", workload.name},
                         {"summary", workload.summary},
                         {"control", workload.control},
                         {"waits", workload.waits},
                         {"unavailable", why ? Json(*why) : Json(nullptr)},
                         {"options", keys_json(workload.options)}});
      text += fmt::format("  {:<20} {}{}\n", workload.name, workload.summary,
                          workload.control ? " (control)" : "");
      if (why) text += fmt::format("      unavailable: {}\n", *why);
      text += keys_text(workload.options);
    }
  }
  if (what.empty() || what == "suites") {
    Json& entries = json["suites"] = Json::array();
    text += "suites\n";
    for (const auto& [name, path] : known_suites()) {
      entries.push_back({{"name", name}, {"path", path}});
      text += fmt::format("  {:<20} {}\n", name, path);
    }
  }
  if (arguments.json)
    print_json(json);
  else
    print_text(text);
  return kDone;
}

void add_options(OptionParser& parser, ListArguments& a) {
  parser.add_option("what", a.what, "models, policies, workloads or suites (default: all)");
  add_common(parser, a);
  parser.footer("Example:\n  precipice list models");
}

}  // namespace

Verb list_verb() {
  return make_verb<ListArguments>("list", "Models, policies, workloads and suites, with their keys",
                                  add_options, list);
}

}  // namespace precipice::cli
