// precipice run: a whole suite into a run's directory.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/indicative.hpp"
#include "harness/capacity/speed_drift.hpp"
#include "harness/cli/campaign_exit.hpp"
#include "harness/cli/common_options.hpp"
#include "harness/cli/preflight.hpp"
#include "harness/cli/recorded_run.hpp"
#include "harness/format.hpp"
#include "harness/json.hpp"
#include "harness/report/capacity_table.hpp"
#include "harness/report/ranking_table.hpp"
#include "harness/report/terminal.hpp"
#include "harness/report/verdict_text.hpp"
#include "harness/shown_text.hpp"
#include "harness/store/suite.hpp"
#include "harness/store/summary_files.hpp"
#include "harness/trial/interrupt.hpp"
#include "harness/trial/spec.hpp"
#include "models/did_you_mean.hpp"

namespace precipice::cli {
namespace {

struct RunArguments : CommonArguments {
  std::string suite, out, budget, blocks, only;
  bool dry_run = false, fresh = false, anonymous = false, force = false;
};

namespace fs = std::filesystem;

/// The path of a file, or the name of a suite that comes with the program.
std::string find_suite(const std::string& text) {
  std::error_code error;
  const bool directory = fs::is_directory(text, error);
  if (!directory && fs::exists(text, error)) return text;
  std::vector<std::string> names;
  const std::string wanted = fs::path(text).stem();
  for (const auto& [name, path] : known_suites()) {
    if (name == wanted && fs::path(text).parent_path().empty()) return path;
    names.push_back(name);
  }
  if (directory) return text;  // which load_suite says
  throw UsageError(fmt::format("{}: there is no such suite{} (precipice list suites)", text,
                               did_you_mean(wanted, names)));
}

Plan plan_from(const RunArguments& a) {
  Plan plan = load_suite(find_suite(a.suite));
  if (!a.blocks.empty()) plan.blocks = static_cast<int>(parse_count(a.blocks, "--blocks", 1, 1000));
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
    print_text(fmt::format("{}\n# {} cells, {} blocks, about {} trials, about {}\n", to_toml(plan),
                           expected.cells, plan.blocks, expected.trials,
                           readable_duration(expected.seconds)));
  }
  return kDone;
}

int run(const RunArguments& arguments, const Words& argv) {
  Plan plan = plan_from(arguments);
  const CpuChoice cpus = choose_cpus(arguments);
  plan.generator_cpus = cpus.generator;
  plan.model_cpus = cpus.model;
  if (arguments.dry_run) return show_plan(plan, arguments.json);

  say_at_start(cpus, plan.clock);
  const RecordedRun recorded = record_run(plan,
                                          {.out = arguments.out,
                                           .fresh = arguments.fresh,
                                           .anonymous = arguments.anonymous,
                                           .force = arguments.force,
                                           .further_blocks = true,
                                           .progress = arguments.json ? stderr : stdout},
                                          argv);
  const CampaignResult& result = recorded.result;
  const std::string& directory = recorded.directory;
  Terminal out(stdout);
  const std::string nothing = nothing_valid(result);
  if (arguments.json) {
    Json json = summary_json(plan.name, result);
    json["directory"] = directory;
    print_json(json);
  } else {
    const RunRanking ranked = rank_models(result);
    std::string text = "\n";
    if (nothing.empty()) text += verdict_text(verdicts_of(result, ranked), out.style()) + '\n';
    text += fmt::format("{}\n", table(result, out.style()));
    if (nothing.empty()) {
      text += ranking(ranked, out.style());
      for (const std::string& sentence : speed_drift(speed_samples(result)).sentences)
        text += sentence + '\n';
    } else {
      text += wrapped(nothing, out.style());
    }
    const std::string place = shell_quoted_path(directory);
    text += fmt::format("\nfiles: {}\n", directory);
    if (!result.interrupted && nothing.empty()) {
      text += fmt::format("next:  scripts/plot.py {}\n", place);
      if (!plan.claims.empty()) text += fmt::format("       precipice check {}\n", place);
    }
    print_text(text);
  }
  if (result.interrupted) throw Interrupted("interrupted; " + recorded.hint);
  const Exit code = exit_of(result);
  if (code == kInvalid && nothing.empty())
    remark(
        "a cell is without a figure: its trials were invalid (see precipice doctor), or too short "
        "for the SLO's percentile");
  if (arguments.json) remark(nothing);
  if (code == kLacking) remark("a cell was left out because this machine lacks something");
  return code;
}

void add_options(OptionParser& parser, RunArguments& a) {
  parser.add_required("suite", a.suite,
                      "A .toml file, or the name of one of precipice list suites");
  parser.add_option("--out", a.out, "Where the run's directory goes (default: results)");
  parser.add_flag("--dry-run", a.dry_run, "Print the resolved suite and how long it takes");
  parser.add_flag("--fresh", a.fresh, "Begin a new run even when one could be continued");
  parser.add_option(
      "--budget", a.budget,
      "Time to spend, as in 20m: after the suite's blocks on further ones of the cells whose "
      "order is open (or that miss the suite's precision), up to 4 times as many");
  parser.add_option("--blocks", a.blocks, "Instead of the suite's");
  parser.add_option("--only", a.only, "Only cells whose 'series workload' contains this");
  add_anonymous(parser, a.anonymous);
  add_force(parser, a.force);
  add_common(parser, a);
  parser.footer(
      "Examples:\n"
      "  precipice run quick.toml\n"
      "  precipice run standard.toml --only 'io_uring sleep' --budget 20m\n"
      "An unfinished run of the same suite is continued. The first Ctrl-C stops after the trial\n"
      "under way, the second at once; nothing measured is lost.");
}

}  // namespace

Verb run_verb() {
  return make_verb<RunArguments>("run", "A suite of models and workloads, into results/",
                                 add_options, run);
}

}  // namespace precipice::cli
