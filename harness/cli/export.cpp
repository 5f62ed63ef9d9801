// precipice export: a run in the formats that other tools read.
#include "harness/report/export.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "harness/cli/common_options.hpp"
#include "harness/json.hpp"
#include "harness/store/durable_file.hpp"
#include "harness/trial/spec.hpp"

namespace precipice::cli {
namespace {

struct ExportArguments {
  std::string run, format, out, series, workload, rate;
  bool json = false;
};

/// A file's name for one file; for several, or where it names a directory, a directory.
std::vector<std::string> write_files(
    const std::string& out, const std::vector<std::pair<std::string, std::string>>& files) {
  std::error_code error;
  const bool directory =
      files.size() > 1 || out.ends_with('/') || std::filesystem::is_directory(out, error);
  std::vector<std::string> written;
  if (directory) make_directories(out);
  for (const auto& [name, text] : files) {
    const std::string path = directory ? (std::filesystem::path(out) / name).string() : out;
    replace_file(path, text);
    written.push_back(path);
  }
  return written;
}

int export_run(const ExportArguments& arguments) {
  const Exporter& exporter = exporter_named(arguments.format);
  ExportOptions options{.series = arguments.series, .workload = arguments.workload};
  if (!arguments.rate.empty()) options.rate_per_s = parse_rate(arguments.rate, "--rate");
  const RunArchive run = open_run(arguments.run);
  remark(run.remark);
  std::vector<std::pair<std::string, std::string>> files;
  exporter.write(run, options, [&](const std::string& name, const std::string& text) {
    files.emplace_back(name, text);
  });
  if (arguments.out.empty()) {
    if (files.size() > 1 && exporter.name == "hgrm") {
      throw UsageError(fmt::format(
          "{} distributions: give --out DIRECTORY, or choose one with --series, --workload and "
          "--rate",
          files.size()));
    }
    print_data(files.front().second);
    return kDone;
  }
  const std::vector<std::string> written = write_files(arguments.out, files);
  if (arguments.json) {
    print_json({{"schema", kSchema}, {"run", run.name}, {"files", written}});
  } else {
    for (const std::string& path : written) print_text(path + "\n");
  }
  return kDone;
}

void add_options(OptionParser& parser, ExportArguments& a) {
  add_run(parser, a.run);
  std::string formats;
  for (const Exporter& each : exporters())
    formats += fmt::format("{}{}: {}", formats.empty() ? "" : "\n", each.name, each.describe);
  parser.add_required("--as", a.format, formats);
  parser.add_option("--out", a.out,
                    "A file, or a directory for several (default: standard output)");
  parser.add_option("--series", a.series, "Only this series, as in fixed_pool:threads=8");
  parser.add_option("--workload", a.workload, "Only this workload, as in sleep:wait=5ms");
  parser.add_option("--rate", a.rate, "hgrm: only the offered rate nearest to this one");
  parser.add_flag("--json", a.json, "With --out: the files written, as one JSON document");
  parser.footer(
      "Examples:\n"
      "  precipice export results/quick --as hgrm --out distributions/\n"
      "  precipice export results/quick --as gbench --out a.json\n"
      "hgrm values are in milliseconds; gbench times in nanoseconds per request at saturation.");
}

}  // namespace

Verb export_verb() {
  return make_verb<ExportArguments>("export", "A run in the formats that other tools read",
                                    add_options, export_run);
}

}  // namespace precipice::cli
