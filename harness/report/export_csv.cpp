// Tidy tables: one row a trial, one row a cell.
#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/record.hpp"
#include "harness/report/export.hpp"
#include "harness/store/summary_files.hpp"
#include "models/options.hpp"

namespace precipice {

void export_csv(const RunArchive& run, const ExportOptions& options, const ExportSink& sink) {
  std::string points = points_header() + "\n";
  bool any = false;
  for_each_trial(run.directory, [&](const Record& record) {
    if (!selects(options, record.series, record.workload)) return;
    points += points_row(record) + "\n";
    any = true;
  });
  if (!any) throw nothing_selected(run);
  CampaignResult cells = run.result;
  std::erase_if(cells.cells, [&](const CellSummary& cell) {
    return !selects(options, cell.model.to_string(), cell.workload.to_string());
  });
  sink("points.csv", points);
  sink("cells.csv", summary_csv(cells));
}

}  // namespace precipice
