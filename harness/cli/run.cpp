// precipice run: a whole suite into a run's directory.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/anonymous.hpp"
#include "harness/cli/common.hpp"
#include "harness/cli/preflight.hpp"
#include "harness/comparison_text.hpp"
#include "harness/drift.hpp"
#include "harness/environment.hpp"
#include "harness/interrupt.hpp"
#include "harness/run_host.hpp"
#include "harness/spec.hpp"
#include "harness/suite.hpp"
#include "harness/summary_files.hpp"
#include "workloads/cpu_work.hpp"

namespace precipice::cli {
namespace {

namespace fs = std::filesystem;

/// A path, or the name of a suite that comes with the program.
std::string find_suite(const std::string& text) {
  std::error_code error;
  if (fs::exists(text, error)) return text;
  std::vector<std::string> names;
  const std::string wanted = fs::path(text).stem();
  for (const auto& [name, path] : known_suites()) {
    if (name == wanted && fs::path(text).parent_path().empty()) return path;
    names.push_back(name);
  }
  const std::string near = nearest_name(wanted, names);
  throw UsageError(fmt::format("{}: there is no such suite{} (precipice list suites)", text,
                               near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
}

Plan plan_from(const Arguments& a) {
  Plan plan = load_suite(find_suite(a.suite));
  if (!a.blocks.empty()) plan.blocks = static_cast<int>(parse_whole(a.blocks, "--blocks", 1, 1000));
  if (!a.budget.empty()) plan.budget = parse_seconds(a.budget, "--budget");
  if (!a.only.empty()) keep_only(plan, a.only);
  return plan;
}

int show_plan(const Plan& plan, bool json) {
  const PlanEstimate expected = estimate(plan);
  if (json) {
    Json cells = Json::array();
    for (const Spec& workload : plan.workloads) {
      for (const Spec& model : plan.models) {
        if (plan.includes(model, workload))
          cells.push_back({{"series", model.to_string()}, {"workload", workload.to_string()}});
      }
    }
    print_json({{"schema", kSchema},
                {"suite", plan.name},
                {"blocks", plan.blocks},
                {"cells", cells},
                {"trials", expected.trials},
                {"expected_s", expected.seconds},
                {"suite_hash", plan_hash(plan)},
                {"resolved", to_toml(plan)}});
  } else {
    fmt::print("{}\n# {} cells, {} blocks, about {} trials, about {}\n", to_toml(plan),
               expected.cells, plan.blocks, expected.trials, readable_duration(expected.seconds));
  }
  return kDone;
}

int verdict(const CampaignResult& result) {
  bool lacking = false, invalid = false;
  for (const CellSummary& cell : result.cells) {
    if (!cell.failure.empty())
      (cell.lacking ? lacking : invalid) = true;
    else if (cell.result.cliff.reached == "unmeasured")
      invalid = true;
  }
  return invalid ? kInvalid : lacking ? kLacking : kDone;
}

std::string resume_command(const Arguments& a) {
  std::string text = "precipice";
  for (std::size_t i = 1; i < a.argv.size(); ++i) {
    if (a.argv[i] == "--fresh") continue;
    const bool plain = a.argv[i].find_first_of(" '\"$`\\<>|&;()*?") == std::string::npos;
    text += plain ? " " + a.argv[i] : " '" + a.argv[i] + "'";
  }
  return text;
}

}  // namespace

int run(const Arguments& arguments) {
  Plan plan = plan_from(arguments);
  const CpuChoice cpus = choose_cpus(arguments);
  plan.generator_cpus = cpus.generator;
  plan.model_cpus = cpus.model;
  if (arguments.dry_run) return show_plan(plan, arguments.json);

  remark(cpus.remark);
  watch_signals(false);
  const EnvironmentOptions looking{.anonymous = arguments.anonymous,
                                   .wake_up_cpus = plan.generator_cpus};
  const Json before = environment_json(looking);
  const std::unique_ptr<Store> store = Store::open(
      results_root(arguments.out),
      {.suite = plan.name,
       .suite_hash = plan_hash(plan),
       .suite_toml = to_toml(plan),
       .seed = plan.seed,
       .git_sha = build_git_sha(),
       .binary_hash = binary_hash(),
       .argv = arguments.anonymous ? anonymous_argv(arguments.argv, Secrets::of_this_process())
                                   : arguments.argv},
      arguments.fresh);
  store->environment("before", before);
  look_at_noise(plan, arguments.force);
  set_cpu_iterations_per_us(store->cpu_iterations_per_us(cpu_iterations_per_us()));
  Terminal progress(arguments.json ? stderr : stdout), out(stdout);
  const PlanEstimate expected = estimate(plan);
  progress.line(fmt::format("{}: {} cells, {} blocks, about {} trials, about {}", plan.name,
                            expected.cells, plan.blocks, expected.trials,
                            readable_duration(expected.seconds)));
  progress.line(fmt::format("into {}", store->directory()));
  if (store->recovered() > 0)
    progress.line(fmt::format("continuing: {} trials are there already", store->recovered()));
  remark(store->remark());

  RunHost host(progress, *store);
  CampaignResult result;
  const std::string hint = fmt::format("what was measured is in {}; to continue: {}",
                                       store->directory(), resume_command(arguments));
  try {
    result = run_campaign(plan, host);
    progress.clear_live();
    const Json after = environment_json(looking);
    store->environment("after", after);
    // Virtual time passes on any machine alike.
    if (plan.clock == ClockKind::real) {
      for (const std::string& sentence : differences(before, after)) remark(sentence);
    }
    store->finish(result);
  } catch (const Interrupted& interrupted) {
    progress.clear_live();
    throw Interrupted(fmt::format("{}; {}", interrupted.what(), hint));
  } catch (const CannotWrite& failed) {
    progress.clear_live();
    throw CannotWrite(fmt::format("{}; {}", failed.what(), hint));
  }
  // For scripts that go on from the run: its directory, in a file of their choice.
  if (const char* file = std::getenv("PRECIPICE_DIRECTORY_FILE")) {
    std::ofstream(file) << store->directory() << '\n';
  }

  if (arguments.json) {
    Json json = summary_json(plan.name, result);
    json["directory"] = store->directory();
    print_json(json);
  } else {
    std::string text =
        fmt::format("\n{}\n{}", table(result, out.style()), ranking(result, out.style()));
    for (const std::string& sentence : speed_drift(speed_samples(result)).sentences) {
      text += sentence + '\n';
    }
    text += fmt::format("\nfiles: {}\n", store->directory());
    if (!result.interrupted) text += fmt::format("next:  scripts/plot.py {}\n", store->directory());
    if (!result.interrupted && !plan.claims.empty())
      text += fmt::format("       precipice check {}\n", store->directory());
    print_text(text);
  }
  if (result.interrupted) throw Interrupted("interrupted; " + hint);
  const int code = verdict(result);
  if (code == kInvalid) remark("a cell has no valid measurement: see precipice doctor");
  if (code == kLacking) remark("a cell was left out because this machine lacks something");
  return code;
}

}  // namespace precipice::cli
