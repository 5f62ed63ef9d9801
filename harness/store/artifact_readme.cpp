#include "harness/store/artifact_readme.hpp"

#include <fmt/format.h>

#include <cmath>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "harness/capacity/cell_summary.hpp"
#include "harness/format.hpp"
#include "harness/json.hpp"
#include "harness/shown_text.hpp"
#include "harness/store/suite.hpp"
#include "harness/trial/spec.hpp"

namespace precipice {
namespace {

/// What a document has at `path`, as text; "unknown" where it has nothing.
std::string at(const std::shared_ptr<const Json>& document, const std::string& path) {
  const std::string text = text_at_pointer(document.get(), path, "unknown");
  return text == "(name)" ? "withheld for review" : text;
}

/// "- what: value", and nothing where the machine does not say.
void line(std::string& text, const char* what, const std::string& value) {
  if (value != "unknown" && !value.empty())
    text += fmt::format("- {}: {}\n", what, shown_in_line(value));
}

double seconds_of(const std::string& utc) {
  std::tm time{};
  return strptime(utc.c_str(), "%Y-%m-%dT%H:%M:%SZ", &time) == nullptr
             ? std::nan("")
             : static_cast<double>(timegm(&time));
}

std::string size_text(double bytes) {
  return bytes < 1 << 20 ? fmt::format("{:.0f} KiB", std::ceil(bytes / 1024))
                         : fmt::format("{:.1f} MiB", bytes / (1 << 20));
}

std::string memory_text(const RunArchive& run) {
  const std::string bytes = at(run.environment_before, "/memory/MemTotal_bytes");
  return bytes == "unknown" ? bytes : fmt::format("{:.1f} GiB", std::stod(bytes) / (1 << 30));
}

std::string hardware(const RunArchive& run) {
  const auto& environment = run.environment_before;
  std::string text;
  line(text, "CPU", at(environment, "/cpu/model"));
  line(text, "CPUs online", at(environment, "/cpu/online"));
  line(text, "of these for the generator", run.plan.generator_cpus.to_string());
  line(text, "of these for the models", run.plan.model_cpus.to_string());
  line(text, "SMT", at(environment, "/cpu/smt"));
  line(text, "frequency governor", at(environment, "/cpu/governor"));
  line(text, "memory", memory_text(run));
  line(text, "under a hypervisor", at(environment, "/virtualisation/hypervisor_flag"));
  return text.empty() ? "- not recorded\n" : text;
}

std::string software(const RunArchive& run) {
  const auto& environment = run.environment_before;
  std::string text;
  line(text, "precipice, commit", at(run.manifest, "/git_sha"));
  line(text, "its binary (FNV-1a)", at(run.manifest, "/binary_hash"));
  line(text, "kernel", at(environment, "/kernel/release"));
  line(text, "compiler", at(environment, "/build/compiler"));
  line(text, "flags", at(environment, "/build/flags"));
  if (environment && environment->contains("build")) {
    const Json libraries = (*environment)["build"].value("libraries", Json::object());
    std::vector<std::string> each;
    for (const auto& [name, version] : libraries.items())
      each.push_back(fmt::format(
          "{} {}", name, version.is_string() ? version.get<std::string>() : json_text(version)));
    line(text, "libraries", fmt::format("{}", fmt::join(each, ", ")));
  }
  return text + "- to repeat it: Debian 12 with what `scripts/setup` installs\n";
}

}  // namespace

std::string artifact_description(const RunArchive& run, const std::string& name,
                                 std::uint64_t bytes) {
  int trials = 0, invalid = 0;
  for (const CellSummary& cell : run.result.cells) {
    trials += cell.trials;
    invalid += cell.invalid;
  }
  const double took =
      seconds_of(at(run.manifest, "/ended")) - seconds_of(at(run.manifest, "/started"));
  const PlanEstimate expected = estimate(run.plan);
  std::string text = fmt::format(
      "# Artifact: the suite `{}`\n\n"
      "How much load each concurrency model carries, and where its latency cliff is, measured by "
      "precipice: {} cells (model x workload) in {} blocks, {} trials, {} of them invalid and left "
      "out of every figure.\n\n",
      shown_in_line(run.plan.name), run.result.cells.size(), run.result.blocks_done, trials,
      invalid);
  text +=
      "## What is here\n\n"
      "| file | what it is |\n|---|---|\n"
      "| `run/suite.toml` | the experiment: models, workloads, rates, seeds, claims |\n"
      "| `run/journal.jsonl` | the data: every trial with its histograms |\n"
      "| `run/points.csv`, `run/summary.json`, `run/summary.csv` | the same as tables |\n"
      "| `run/environment.*.json`, `run/manifest.json` | the machine, the program, the order |\n";
  std::error_code error;
  if (std::filesystem::is_directory(run.directory + "/figures", error))
    text += "| `run/figures/` | the charts |\n";
  if (std::filesystem::exists(run.directory + "/report.html", error))
    text += "| `run/report.html` | everything in one page, to open in a browser |\n";
  text += "| `SHA256SUMS` | checksums of all of these |\n\n";
  text += "## Hardware\n\n" + hardware(run) + "\n## Software\n\n" + software(run);
  text += fmt::format(
      "\n## Steps\n\n"
      "    tar -xzf ARCHIVE.tar.gz && cd {0}\n"
      "    sha256sum -c SHA256SUMS          # nothing was damaged or changed\n\n"
      "then, in a checkout of precipice:\n\n"
      "    scripts/reproduce.sh ARCHIVE.tar.gz\n\n"
      "which installs what is missing, builds, runs `run/suite.toml` on that machine and says "
      "claim "
      "by claim whether it is confirmed. `--budget 20m` bounds the time. To only read the data:\n\n"
      "    build/release/precipice show {0}/run\n\n",
      shell_quoted_path(name));
  text += fmt::format(
      "## Time and disk\n\n- measuring: {}; by the plan's estimate {}\n- building: about three "
      "minutes on 2 CPUs, once\n- this archive unpacked: {}; a repetition needs as much again, and "
      "the build about 300 MiB\n",
      std::isfinite(took) ? "took " + readable_duration(took) : std::string("not recorded"),
      readable_duration(expected.seconds), size_text(static_cast<double>(bytes)));
  if (!run.plan.claims.empty()) {
    text += "\n## Claims\n\n";
    for (const Claim& claim : run.plan.claims)
      text += fmt::format("- {}: `{}`\n", shown_in_line(claim.say), shown_in_line(claim.that));
  }
  text +=
      "\n## What to expect elsewhere\n\n"
      "Rates are a machine's own. What should hold is the shape: the order of the models, their "
      "ratios, and the cliff as a share of saturation; that is what is checked.\n";
  return shown(text);
}

}  // namespace precipice
