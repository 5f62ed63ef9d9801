// A run in the formats that other tools read. One exporter is one file and one line of the list in
// export.cpp.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/store/run_reader.hpp"

namespace precipice {

struct ExportOptions {
  std::string series;     ///< only this series, as written in the run; "": all
  std::string workload;   ///< likewise
  double rate_per_s = 0;  ///< only the rate nearest to this one in each cell; 0: all
};

/// Takes one file of an export: a plain file name, and its text.
using ExportSink = std::function<void(const std::string& name, const std::string& text)>;

struct Exporter {
  std::string_view name;      ///< of --as
  std::string_view describe;  ///< for --help
  /// Calls the sink once a file, the most useful first. Throws UsageError when the options leave
  /// nothing.
  void (*write)(const RunArchive& run, const ExportOptions& options, const ExportSink& sink);
};

const std::vector<Exporter>& exporters();
/// Throws UsageError with the names there are.
const Exporter& exporter_named(const std::string& name);

/// Whether the options select this cell.
bool selects(const ExportOptions& options, const std::string& series, const std::string& workload);
/// A UsageError that lists what the run has.
UsageError nothing_selected(const RunArchive& run);

void export_csv(const RunArchive&, const ExportOptions&, const ExportSink&);
void export_hgrm(const RunArchive&, const ExportOptions&, const ExportSink&);
void export_gbench(const RunArchive&, const ExportOptions&, const ExportSink&);

/// A percentile distribution in the text form that HdrHistogram's implementations write and its
/// plotters read: Value in milliseconds (1e-6 of the recorded nanoseconds), Percentile, TotalCount
/// and 1/(1-Percentile), five steps per half distance to 100%, and the footer. Values above
/// Histogram::kHighest count as the highest.
std::string percentile_distribution(const Histogram& histogram);

}  // namespace precipice
