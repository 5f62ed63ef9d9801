#include "harness/cli/common_options.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "harness/cli/standard_streams.hpp"
#include "harness/format.hpp"
#include "harness/host/build_info.hpp"
#include "harness/json.hpp"
#include "harness/report/terminal.hpp"
#include "harness/shown_text.hpp"
#include "harness/trial/policy_chain.hpp"
#include "harness/trial/spec.hpp"
#include "harness/trial/transport.hpp"
#include "models/options.hpp"
#include "models/oracle.hpp"

namespace precipice::cli {

void add_json(OptionParser& parser, bool& json) {
  parser.add_flag("--json", json, "One JSON document on stdout, everything else on stderr");
}

void add_common(OptionParser& parser, CommonArguments& a) {
  add_json(parser, a.json);
  parser.add_option("--generator-cpus", a.generator_cpus,
                    "CPUs of the generator, as in 0 or 0,2-3 (default: the first allowed)");
  parser.add_option("--model-cpus", a.model_cpus, "CPUs of the model (default: the others)");
}

void add_anonymous(OptionParser& parser, bool& anonymous) {
  parser.add_flag("--anonymous", anonymous,
                  "Leave out names of hosts and users, paths, addresses and product ids");
}

void add_force(OptionParser& parser, bool& force) {
  parser.add_flag("--force", force, "Begin without a look at the noise");
}

void add_run(OptionParser& parser, std::string& run) {
  parser.add_required("run", run, "A run's directory, or a suite's: its newest finished run");
}

void add_cell(OptionParser& parser, CellArguments& a) {
  add_cell_or_target(parser, a);
  parser.require("--workload");
}

void add_cell_or_target(OptionParser& parser, CellArguments& a) {
  parser.add_option("--workload", a.workload,
                    "A workload, as in cpu:work=200us,dist=exponential (precipice list workloads)");
  parser.add_option("--warmup", a.warmup, "Discarded time before the window, as in 300ms");
  parser.add_option("--seconds", a.seconds, "Length of the window, as in 2 or 500ms (default: 1s)");
  parser.add_option("--seed", a.seed, "Decides arrivals and requests (default: 1)");
  parser.add_option("--arrivals", a.arrivals,
                    "poisson, fixed, uniform, bursts(on,off) or trace(FILE) (default: poisson)");
  parser.add_option("--slo", a.slo, "As in 'p99<10ms' or 'p99 < 10xS'");
  parser.add_option("--clock", a.clock, "real, or virtual for the oracle (default: real)");
}

void add_models(OptionParser& parser, std::vector<std::string>& models, const std::string& help) {
  parser.add_option("--model", models, help);
}

void add_policies(OptionParser& parser, std::vector<std::string>& policies) {
  parser.add_option("--policy", policies,
                    "A policy before the model, as in hedge:after=10ms; several times, outer first "
                    "(precipice list policies)");
}

void add_transport(OptionParser& parser, std::string& transport) {
  parser.add_option("--transport", transport,
                    "none: requests are handed over in the process; http: the model, and its "
                    "policies, run in a server of their own, and this process is its client; as in "
                    "http:requests_per_connection=1,slow_clients=100 (default: none)");
}

void apply_transport(const std::string& text, Spec& model) {
  if (text.empty() || text == "none") return;
  try {
    parse_transport(text);
  } catch (const UsageError& complaint) {
    throw UsageError(fmt::format("--transport: {}", complaint.what()));
  }
  if (model_named(model.name).control) {
    throw UsageError(
        fmt::format("--transport: {} has no sockets; only models that execute requests are served",
                    model.name));
  }
  model.policy = with_transport(model.policy, parse_spec(text, "--transport").to_string());
}

void add_classes(OptionParser& parser, std::vector<std::string>& classes) {
  parser.add_option("--class", classes,
                    "A class of requests, as in 'live:share=0.9,slo=p99<5ms'; several times, the "
                    "most important first, with shares that add up to 1");
}

std::vector<Spec> parse_policies_of(const std::vector<std::string>& texts, Spec& model) {
  std::vector<Spec> all;
  for (const std::string& text : texts) {
    for (Spec& policy : parse_policies(text)) all.push_back(std::move(policy));
  }
  model.policy = to_string(all);
  return all;
}

CpuChoice choose_cpus(const CommonArguments& arguments) {
  const auto given = [](const std::string& text, std::string_view option) {
    if (text.empty()) return CpuSet();
    try {
      return CpuSet::parse(text);
    } catch (const UsageError& error) {
      throw UsageError(fmt::format("{}: {}", option, error.what()));
    }
  };
  return precipice::choose_cpus(cpu_offer(), given(arguments.generator_cpus, "--generator-cpus"),
                                given(arguments.model_cpus, "--model-cpus"));
}

ClockKind parse_clock(const std::string& text) {
  if (text == "real") return ClockKind::real;
  if (text == "virtual") return ClockKind::virtual_time;
  throw UsageError(fmt::format("--clock '{}' is neither real nor virtual", text));
}

Nanos parse_seconds(const std::string& text, std::string_view what, bool zero) {
  const bool plain = !text.empty() && text.find_first_not_of("0123456789.") == std::string::npos;
  const Nanos duration = parse_duration(plain ? text + "s" : text, what);
  if (duration < Nanos::zero() || (duration == Nanos::zero() && !zero))
    throw UsageError(fmt::format("{} '{}' should be above 0", what, text));
  return duration;
}

double parse_share(const std::string& text, std::string_view what) {
  const bool percent = text.ends_with('%');
  const char* const last = text.data() + text.size() - (percent ? 1 : 0);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (percent) value /= 100;
  if (error != std::errc{} || end != last || !(value >= 0 && value <= 1))
    throw UsageError(fmt::format("{} '{}' is not a share, as in 3% or 0.03", what, text));
  return value;
}

OracleShape oracle_shape(const Spec& model) {
  const OracleSettings settings = oracle_settings(model.given);
  return {settings.total(), settings.servers};
}

void check_clock(ClockKind clock, const Spec& model, const Spec& workload) {
  if (clock == ClockKind::real) return;
  if (model.name != "oracle" || workload.name != "empty") {
    throw UsageError(fmt::format(
        "--clock virtual simulates --model oracle with --workload empty, not {} with {}",
        model.name, workload.name));
  }
}

std::vector<std::pair<std::string, std::string>> known_suites() {
  std::map<std::string, std::string> found;
  for (const std::string& base : {std::string("."), source_directory()}) {
    std::error_code error;
    const std::string directory = base + "/workloads/suites";
    for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
         entry.increment(error)) {
      std::error_code unseen;
      if (entry->path().extension() == ".toml" && entry->is_regular_file(unseen))
        found.emplace(entry->path().stem(), entry->path().lexically_normal());
    }
  }
  return {found.begin(), found.end()};
}

std::string results_root(const std::string& out) {
  if (!out.empty()) return out;
  std::error_code error;
  if (std::filesystem::is_directory("results", error)) return "results";
  const std::string beside_source = source_directory() + "/results";
  return std::filesystem::is_directory(beside_source, error) ? beside_source : "results";
}

void print_json(const Json& json) { print_data(json_text(json, 2) + "\n"); }

void print_text(const std::string& text) {
  write_standard_output(shown(text, Terminal(stdout).style().colour));
}

void print_data(const std::string& text) {
  write_standard_output(isatty(STDOUT_FILENO) == 1 ? shown(text) : text);
}

void remark(const std::string& text) {
  // Where nobody can read it, it is no reason to stop.
  if (!text.empty()) std::fputs(fmt::format("precipice: {}\n", shown(text)).c_str(), stderr);
}

}  // namespace precipice::cli
