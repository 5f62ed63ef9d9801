#include "harness/store/run_differences.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "harness/json.hpp"
#include "harness/store/suite.hpp"

namespace precipice {
namespace {

/// Names each of `paths` that both documents have and that differs.
std::vector<std::string> differing(const std::shared_ptr<const Json>& a,
                                   const std::shared_ptr<const Json>& b,
                                   const std::vector<std::pair<std::string, std::string>>& paths) {
  std::vector<std::string> found;
  for (const auto& [path, name] : paths) {
    const std::string in_a = text_at_pointer(a.get(), path), in_b = text_at_pointer(b.get(), path);
    if (!in_a.empty() && !in_b.empty() && in_a != in_b)
      found.push_back(fmt::format("{} {} and {}", name, in_a, in_b));
  }
  return found;
}

}  // namespace

std::vector<std::string> run_differences(const RunArchive& a, const RunArchive& b) {
  std::vector<std::string> remarks;
  const auto list = [&remarks](const std::string& what, const std::vector<std::string>& found) {
    if (!found.empty()) remarks.push_back(fmt::format("{}: {}.", what, fmt::join(found, "; ")));
  };
  list("Different machines (A and B)", differing(a.environment_before, b.environment_before,
                                                 {{"/cpu/model", "CPU"},
                                                  {"/cpu/online", "CPUs online"},
                                                  {"/cpu/allowed", "CPUs allowed"},
                                                  {"/memory/MemTotal_bytes", "memory"},
                                                  {"/virtualisation/hypervisor", "hypervisor"}}));
  list("Different settings (A and B)", differing(a.environment_before, b.environment_before,
                                                 {{"/kernel/release", "kernel"},
                                                  {"/kernel/clock_source", "clock source"},
                                                  {"/cpu/microcode", "microcode"},
                                                  {"/cpu/governor", "governor"},
                                                  {"/cpu/boost", "boost"},
                                                  {"/cpu/smt", "SMT"},
                                                  {"/cpu/mitigations", "mitigations"},
                                                  {"/scheduling/policy", "scheduling policy"},
                                                  {"/scheduling/nice", "niceness"},
                                                  {"/cgroup/cpu_limit", "CPU limit"}}));
  std::vector<std::string> binaries = differing(
      a.environment_before, b.environment_before,
      {{"/build/git_sha", "commits"}, {"/build/compiler", "compilers"}, {"/build/flags", "flags"}});
  const std::string hash_a = text_at_pointer(a.manifest.get(), "/binary_hash"),
                    hash_b = text_at_pointer(b.manifest.get(), "/binary_hash");
  if (hash_a != hash_b && binaries.empty()) binaries.push_back("of one commit");
  if (hash_a != hash_b) list("Different binaries", binaries);

  if (plan_hash(a.plan) != plan_hash(b.plan)) {
    std::vector<std::string> found;
    const auto differ = [&found](const char* name, const auto& x, const auto& y) {
      if (x != y) found.push_back(fmt::format("{} {} and {}", name, x, y));
    };
    const auto seconds = [](Nanos t) { return std::chrono::duration<double>(t).count(); };
    differ("names", a.plan.name, b.plan.name);
    differ("seeds", a.plan.seed, b.plan.seed);
    differ("blocks", a.plan.blocks, b.plan.blocks);
    differ("windows of (s)", seconds(a.plan.window), seconds(b.plan.window));
    differ("arrivals", a.plan.arrivals.identity(), b.plan.arrivals.identity());
    differ("CPUs of the model", a.plan.model_cpus.to_string(), b.plan.model_cpus.to_string());
    differ("CPUs of the generator", a.plan.generator_cpus.to_string(),
           b.plan.generator_cpus.to_string());
    if (found.empty()) found.push_back("other models, workloads or rates");
    list("Different suites", found);
  }
  for (const auto& [name, run] : {std::pair{"A", &a}, std::pair{"B", &b}}) {
    if (!run->remark.empty()) remarks.push_back(fmt::format("{}: {}", name, run->remark));
  }
  if (a.directory == b.directory) remarks.push_back("A and B are the same run.");
  return remarks;
}

double cpu_iterations_per_us_of(const RunArchive& run) {
  if (!run.manifest) return 0;
  const auto kept = run.manifest->find("cpu_iterations_per_us");
  return kept != run.manifest->end() && kept->is_number() ? kept->get<double>() : 0;
}

}  // namespace precipice
