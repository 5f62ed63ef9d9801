// precipice compare: which of two runs is higher, cell by cell.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "harness/cli/common.hpp"
#include "harness/comparison_context.hpp"
#include "harness/comparison_text.hpp"
#include "harness/run_archive.hpp"
#include "harness/terminal.hpp"

namespace precipice::cli {

int compare(const Arguments& arguments) {
  // Measured by scripts/false_alarms.py on computing work: docs/comparisons.md.
  ComparisonOptions options{.between_runs = 0.0025};
  if (!arguments.min_effect.empty())
    options.min_effect = parse_share(arguments.min_effect, "--min-effect");
  const RunArchive a = open_run(arguments.run), b = open_run(arguments.other_run);
  RunComparison comparison =
      compare_runs({a.name, &a.result, cpu_iterations_per_us_of(a)},
                   {b.name, &b.result, cpu_iterations_per_us_of(b)}, options);
  comparison.remarks = context_of(a, b);
  if (comparison.cells.empty()) {
    throw UsageError(fmt::format(
        "{} and {} have no cell in common; in the first: {}; in the second: {}", a.name, b.name,
        fmt::join(comparison.only_a, "; "), fmt::join(comparison.only_b, "; ")));
  }
  if (arguments.json) {
    print_json(to_json(comparison));
  } else {
    print_text(comparison_table(comparison, Terminal(stdout).style()));
  }
  return kDone;
}

}  // namespace precipice::cli
