// precipice compare: which of two runs is higher, cell by cell; several runs, or one, against a
// base; and named baselines.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "harness/cli/common_options.hpp"
#include "harness/compare/changes.hpp"
#include "harness/json.hpp"
#include "harness/report/comparison_table.hpp"
#include "harness/report/overlay_table.hpp"
#include "harness/report/terminal.hpp"
#include "harness/report/text_style.hpp"
#include "harness/store/baseline.hpp"
#include "harness/store/comparison_json.hpp"
#include "harness/store/run_differences.hpp"
#include "harness/store/run_reader.hpp"

namespace precipice::cli {
namespace {

struct CompareArguments {
  std::vector<std::string> runs;  ///< the base first
  std::string min_effect, baseline, save_baseline, out;
  bool fail_on_change = false, json = false;
};

int save(const CompareArguments& arguments) {
  if (arguments.runs.size() != 1 || !arguments.baseline.empty() || arguments.fail_on_change)
    throw UsageError("--save-baseline NAME takes one RUN and compares nothing");
  const RunArchive run = open_run(arguments.runs.front());
  if (!run.manifest->value("finished", false))
    throw UsageError(fmt::format("{} is unfinished: continue it first", run.directory));
  const std::string place =
      save_baseline(run.directory, results_root(arguments.out), arguments.save_baseline);
  if (arguments.json) {
    print_json({{"schema", kSchema},
                {"run", run.name},
                {"baseline", arguments.save_baseline},
                {"directory", place}});
  } else {
    print_text(
        fmt::format("{} is the baseline '{}': {}\n", run.name, arguments.save_baseline, place));
  }
  return kDone;
}

std::vector<RunArchive> opened(const CompareArguments& arguments) {
  std::vector<RunArchive> runs;
  if (!arguments.baseline.empty())
    runs.push_back(open_run(baseline_directory(results_root(arguments.out), arguments.baseline)));
  for (const std::string& path : arguments.runs) runs.push_back(open_run(path));
  if (runs.size() < 2) {
    throw UsageError(
        "compare takes two runs or more, the first of which is the base; or --baseline NAME and "
        "one run or more");
  }
  return runs;
}

/// What changed says more than what could not be told.
int exit_code(const ChangeCounts& counts) {
  if (counts.changed() > 0) return kChanged;
  return counts.unclear + counts.missing > 0 ? kInvalid : kDone;
}

int compare(const CompareArguments& arguments) {
  if (!arguments.save_baseline.empty()) return save(arguments);
  // Measured by scripts/studies/false_alarms.py on computing work: docs/comparisons.md.
  ComparisonOptions options{.between_runs = 0.0025};
  if (!arguments.min_effect.empty())
    options.min_effect = parse_share(arguments.min_effect, "--min-effect");
  const std::vector<RunArchive> runs = opened(arguments);
  std::vector<RunToCompare> sides;
  for (const RunArchive& run : runs)
    sides.push_back({run.name, &run.result, cpu_iterations_per_us_of(run)});
  Overlay overlay = overlay_runs(sides.front(), {sides.begin() + 1, sides.end()}, options);
  for (std::size_t i = 0; i < overlay.comparisons.size(); ++i) {
    RunComparison& comparison = overlay.comparisons[i];
    comparison.remarks = run_differences(runs.front(), runs[i + 1]);
    if (comparison.cells.empty()) {
      throw UsageError(
          fmt::format("{} and {} have no cell in common; in the first: {}; in the second: {}",
                      comparison.name_a, comparison.name_b, fmt::join(comparison.only_a, "; "),
                      fmt::join(comparison.only_b, "; ")));
    }
  }
  const ChangeCounts counts = count_changes(overlay);
  const int code = arguments.fail_on_change ? exit_code(counts) : kDone;
  const bool two = overlay.comparisons.size() == 1;
  if (arguments.json) {
    Json json;
    if (two) {
      json = to_json(overlay.comparisons.front());
    } else {
      json = {{"schema", kSchema}, {"base", overlay.base.name}};
      Json& list = json["comparisons"] = Json::array();
      for (const RunComparison& comparison : overlay.comparisons)
        list.push_back(to_json(comparison));
    }
    json["changes"] = changes_json(overlay);
    json["exit_code"] = code;
    print_json(json);
  } else {
    const TableStyle style = Terminal(stdout).style();
    print_text((two ? comparison_table(overlay.comparisons.front(), style)
                    : overlay_table(overlay, style)) +
               changes_sentence(counts) + '\n');
  }
  return code;
}

void add_options(OptionParser& parser, CompareArguments& a) {
  parser.add_required(
      "runs", a.runs,
      "Runs' directories, or suites': their newest finished run. The first is the base");
  parser.add_option("--min-effect", a.min_effect,
                    "Least difference that matters, as in 3% (default: any)");
  parser.add_option("--baseline", a.baseline, "The base: a run that was saved under this name");
  parser.add_option("--save-baseline", a.save_baseline,
                    "Keep RUN under this name, in results/baselines");
  parser.add_flag("--fail-on-change", a.fail_on_change,
                  "Exit code 1 when something changed beyond noise, 3 when that cannot be told");
  parser.add_option("--out", a.out, "Where baselines are (default: results)");
  add_json(parser, a.json);
  parser.footer(
      "Examples:\n"
      "  precipice compare results/quick/20261120T181235Z-26cf65d results/quick --min-effect 3%\n"
      "  precipice compare BEFORE AFTER OTHER_MACHINE\n"
      "  precipice compare --save-baseline main results/quick\n"
      "  precipice compare --baseline main results/quick --min-effect 5% --fail-on-change\n"
      "Exit code 0 when they were compared, whatever came out; with --fail-on-change 1 when a "
      "figure\n"
      "is higher or lower beyond noise, else 3 when one cannot be told or is missing, else 0.");
}

}  // namespace

Verb compare_verb() {
  return make_verb<CompareArguments>("compare", "What changed between runs, cell by cell",
                                     add_options, compare);
}

}  // namespace precipice::cli
