// JSON in the form of Google Benchmark, so that its compare.py can hold two runs against each
// other. A benchmark is a cell, a repetition a block: real_time is the time per request at
// saturation, 1 / the block's saturation, in nanoseconds; cpu_time the model's CPU time per request
// in that block's overload, or what is nearest to it. Time per request, because there lower is
// better.
#include <fmt/format.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/point.hpp"
#include "harness/capacity/record.hpp"
#include "harness/compare/block_series.hpp"
#include "harness/json.hpp"
#include "harness/report/export.hpp"
#include "harness/stats/statistics.hpp"
#include "models/options.hpp"

namespace precipice {
namespace {

struct Repetition {
  int block = 0;
  double real_ns = 0, cpu_ns = 0;
};

/// Middle CPU time per request of the block's open-loop trials above what was stable, else of all.
double cpu_of_block(const CellSummary& cell, int block) {
  std::vector<double> overloaded, all;
  for (const Record& record : cell.points) {
    if (!record.used || record.block != block || !std::isfinite(record.trial.cpu_model_ns))
      continue;
    all.push_back(record.trial.cpu_model_ns);
    if (record.phase == Phase::overload) overloaded.push_back(all.back());
  }
  const double value = median(overloaded.empty() ? all : overloaded);
  return std::isfinite(value) ? value : 0;
}

Json entry(const std::string& name, std::size_t family, std::size_t repetitions,
           const char* run_type) {
  return {{"name", name},     {"family_index", family}, {"per_family_instance_index", 0},
          {"run_name", name}, {"run_type", run_type},   {"repetitions", repetitions},
          {"threads", 1}};
}

void add_cell(const CellSummary& cell, std::size_t family, Json& benchmarks) {
  std::vector<Repetition> repetitions;
  for (const auto& [block, log_rate] : saturation_by_block(cell.evidence, cell.options))
    repetitions.push_back({block, 1e9 / std::exp(log_rate), cpu_of_block(cell, block)});
  if (repetitions.empty()) return;
  const std::string name = fmt::format("{}/{}/time_per_request_at_saturation",
                                       cell.model.to_string(), cell.workload.to_string());
  std::vector<double> real, cpu;
  for (std::size_t i = 0; i < repetitions.size(); ++i) {
    real.push_back(repetitions[i].real_ns);
    cpu.push_back(repetitions[i].cpu_ns);
    Json json = entry(name, family, repetitions.size(), "iteration");
    json["repetition_index"] = i;
    json["iterations"] =
        static_cast<std::uint64_t>(std::llround(cell.options.window_s * 1e9 / real.back()));
    json["real_time"] = real.back();
    json["cpu_time"] = cpu.back();
    json["time_unit"] = "ns";
    json["block"] = repetitions[i].block;
    benchmarks.push_back(std::move(json));
  }
  const auto mean = [](const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) sum += value;
    return sum / static_cast<double>(values.size());
  };
  const auto deviation = [](const std::vector<double>& values) {
    return standard_deviation(values);
  };
  const auto variation = [&](const std::vector<double>& values) {
    return mean(values) > 0 ? deviation(values) / mean(values) : 0.0;
  };
  const auto aggregate = [&](const char* which, const char* unit, double of_real, double of_cpu) {
    Json json = entry(name, family, repetitions.size(), "aggregate");
    json["name"] = name + "_" + which;
    json["aggregate_name"] = which;
    json["aggregate_unit"] = unit;
    json["iterations"] = repetitions.size();
    json["real_time"] = of_real;
    json["cpu_time"] = of_cpu;
    json["time_unit"] = "ns";
    benchmarks.push_back(std::move(json));
  };
  if (repetitions.size() < 2) return;
  aggregate("mean", "time", mean(real), mean(cpu));
  aggregate("median", "time", median(real), median(cpu));
  aggregate("stddev", "time", deviation(real), deviation(cpu));
  aggregate("cv", "percentage", variation(real), variation(cpu));
}

}  // namespace

void export_gbench(const RunArchive& run, const ExportOptions& options, const ExportSink& sink) {
  const auto text_of = [](const Json& document, const char* key) {
    return document.is_object() ? document.value(key, std::string()) : std::string();
  };
  const Json manifest = run.manifest ? *run.manifest : Json::object();
  Json context = {{"date", text_of(manifest, "started")},
                  {"host_name", ""},
                  {"executable", "precipice"},
                  {"num_cpus", run.plan.model_cpus.size()},
                  {"mhz_per_cpu", 0},
                  {"cpu_scaling_enabled", false},
                  {"caches", Json::array()},
                  {"load_avg", Json::array()},
                  {"library_build_type", "release"},
                  {"run", run.name},
                  {"git_sha", text_of(manifest, "git_sha")}};
  Json benchmarks = Json::array();
  std::size_t family = 0;
  for (const CellSummary& cell : run.result.cells) {
    if (!selects(options, cell.model.to_string(), cell.workload.to_string())) continue;
    add_cell(cell, family++, benchmarks);
  }
  if (benchmarks.empty()) throw nothing_selected(run);
  sink(
      "benchmark.json",
      json_text(Json({{"context", std::move(context)}, {"benchmarks", std::move(benchmarks)}}), 2) +
          "\n");
}

}  // namespace precipice
