#include "harness/report/export.hpp"

#include <fmt/format.h>

#include "harness/capacity/cell_summary.hpp"
#include "harness/shown_text.hpp"
#include "models/did_you_mean.hpp"
#include "models/options.hpp"

namespace precipice {

const std::vector<Exporter>& exporters() {
  static const std::vector<Exporter> list = {
      {"csv", "every trial and every cell as rows (points.csv, cells.csv)", export_csv},
      {"hgrm", "percentile distributions per cell and rate, for HdrHistogram's plotters",
       export_hgrm},
      {"gbench", "JSON for Google Benchmark's compare.py: time per request at saturation",
       export_gbench},
  };
  return list;
}

const Exporter& exporter_named(const std::string& name) {
  std::vector<std::string> names;
  for (const Exporter& each : exporters()) {
    if (each.name == name) return each;
    names.emplace_back(each.name);
  }
  throw UsageError(fmt::format("--as '{}' is no format{} (formats: {})", name,
                               did_you_mean(name, names), fmt::join(names, ", ")));
}

bool selects(const ExportOptions& options, const std::string& series, const std::string& workload) {
  return (options.series.empty() || options.series == series) &&
         (options.workload.empty() || options.workload == workload);
}

UsageError nothing_selected(const RunArchive& run) {
  std::string text;
  for (const CellSummary& cell : run.result.cells)
    text += fmt::format("\n  --series {} --workload {}", shell_quoted(cell.model.to_string()),
                        shell_quoted(cell.workload.to_string()));
  return UsageError(
      fmt::format("{}: nothing measured is selected; its cells are:{}", run.name, text));
}

}  // namespace precipice
