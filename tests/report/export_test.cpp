// What other tools will read, held against what the harness says itself.
// tests/export_readers_test.py gives the same files to those tools.
#include "harness/report/export.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/point.hpp"
#include "harness/capacity/record.hpp"
#include "harness/json.hpp"
#include "models/options.hpp"
#include "models/random.hpp"

namespace precipice {
namespace {

struct Line {
  double value_ms = 0, share = 0, inverse = 0;
  std::uint64_t count = 0;
};

std::vector<Line> lines_of(const std::string& distribution) {
  std::istringstream in(distribution);
  std::string text;
  std::vector<Line> lines;
  std::getline(in, text);
  EXPECT_EQ(text, "       Value     Percentile TotalCount 1/(1-Percentile)");
  std::getline(in, text);
  EXPECT_EQ(text, "");
  while (std::getline(in, text) && text[0] != '#') {
    std::istringstream fields(text);
    Line line;
    fields >> line.value_ms >> line.share >> line.count;
    line.inverse = std::nan("");
    double inverse = 0;
    if (fields >> inverse) line.inverse = inverse;
    lines.push_back(line);
  }
  return lines;
}

TEST(PercentileDistribution, AgreesWithTheHistogramOnEveryLine) {
  Histogram histogram;
  Random random(7);
  for (int i = 0; i < 50'000; ++i)
    histogram.record(static_cast<std::int64_t>(
        1e5 * std::exp(1e-9 * static_cast<double>(random.below(7'000'000'000)))));
  const std::vector<Line> lines = lines_of(percentile_distribution(histogram));
  ASSERT_GT(lines.size(), 30u);
  EXPECT_EQ(lines.front().share, 0);
  EXPECT_EQ(lines.back().share, 1);
  EXPECT_EQ(lines.back().count, histogram.count());
  EXPECT_TRUE(std::isnan(lines.back().inverse));
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const double p = std::max(100 * lines[i].share, 1e-6);
    EXPECT_NEAR(lines[i].value_ms, static_cast<double>(histogram.percentile(p)) / 1e6, 0.0006) << p;
    if (i > 0) {
      EXPECT_GE(lines[i].value_ms, lines[i - 1].value_ms);
      EXPECT_GT(lines[i].share, lines[i - 1].share);
    }
    if (!std::isnan(lines[i].inverse)) {
      EXPECT_NEAR(lines[i].inverse * (1 - lines[i].share), 1, 0.01);
    }
  }
}

TEST(PercentileDistribution, OneValueAndNone) {
  Histogram one;
  one.record(2'000'000, 10);
  const std::vector<Line> lines = lines_of(percentile_distribution(one));
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].count, 10u);
  EXPECT_NEAR(lines[1].value_ms, 2.0, 0.002);
  EXPECT_EQ(lines_of(percentile_distribution(Histogram())).size(), 0u);
}

TEST(PercentileDistribution, KeepsNanosecondsApart) {
  Histogram histogram;
  histogram.record(300, 2);
  histogram.record(301, 2);
  const std::vector<Line> lines = lines_of(percentile_distribution(histogram));
  EXPECT_DOUBLE_EQ(lines.front().value_ms, 0.000300);
  EXPECT_DOUBLE_EQ(lines.back().value_ms, 0.000301);
  const std::string text = percentile_distribution(histogram);
  EXPECT_NE(text.find("StdDeviation   =  0.000000500]"), std::string::npos) << text;
}

TEST(PercentileDistribution, WhatIsBeyondTheHighestIsStillCounted) {
  Histogram histogram;
  histogram.record(1'000'000, 90);
  histogram.record(2 * Histogram::kHighest, 10);
  const std::vector<Line> lines = lines_of(percentile_distribution(histogram));
  EXPECT_EQ(lines.back().count, 100u);
  EXPECT_GE(lines.back().value_ms, static_cast<double>(Histogram::kHighest) / 1e6);
}

TEST(Exporters, AreFoundByNameAndSuggested) {
  EXPECT_EQ(exporter_named("hgrm").name, "hgrm");
  try {
    exporter_named("hgram");
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean 'hgrm'"), std::string::npos);
  }
}

RunArchive run_of_three_blocks() {
  RunArchive run;
  run.name = "suite/run";
  CellSummary cell;
  cell.model = {"fixed_pool", {{"threads", "8"}}};
  cell.workload = {"sleep", {}};
  cell.options.slo_ns = 1e7;
  for (int block = 0; block < 3; ++block) {
    Point point;
    point.phase = Phase::overload;
    point.block = block;
    point.rate_per_s = 3000;
    point.offered_per_s = 3000;
    point.goodput_per_s = 1000 + 250 * block;
    point.slo_percentile_ns = point.mean_response_ns = 1e9;
    point.requests = 3000;
    point.valid = true;
    cell.evidence.push_back(point);
    Record record;
    record.block = block;
    record.used = true;
    record.phase = Phase::overload;
    record.trial.cpu_model_ns = 5000 + block;
    cell.points.push_back(record);
  }
  run.result.cells.push_back(cell);
  return run;
}

TEST(BenchmarkJson, ARepetitionIsABlocksTimePerRequestAtSaturation) {
  std::map<std::string, std::string> files;
  export_gbench(run_of_three_blocks(), {},
                [&](const std::string& name, const std::string& text) { files[name] = text; });
  const Json json = Json::parse(files.at("benchmark.json"));
  const Json& list = json["benchmarks"];
  ASSERT_EQ(list.size(), 7u);  // three repetitions, four aggregates
  const double expected[] = {1e6, 8e5, 1e9 / 1500};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(list[i]["run_type"], "iteration");
    EXPECT_EQ(list[i]["repetition_index"], i);
    EXPECT_NEAR(list[i]["real_time"].get<double>(), expected[i], 1e-3);
    EXPECT_NEAR(list[i]["cpu_time"].get<double>(), 5000 + static_cast<double>(i), 1e-9);
    EXPECT_EQ(list[i]["time_unit"], "ns");
  }
  EXPECT_EQ(list[4]["aggregate_name"], "median");
  EXPECT_NEAR(list[4]["real_time"].get<double>(), 8e5, 1e-3);
}

TEST(BenchmarkJson, WhatIsNotThereIsRefusedWithWhatIs) {
  ExportOptions options;
  options.series = "event_loop";
  try {
    export_gbench(run_of_three_blocks(), options, [](const std::string&, const std::string&) {});
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("fixed_pool:threads=8"), std::string::npos);
  }
}

TEST(Exporters, NameTheCellsInWordsForAShell) {
  RunArchive run = run_of_three_blocks();
  run.result.cells.front().model.given = {{"service", "bimodal(0.9,1,10)"}, {"x", "it's"}};
  EXPECT_NE(
      std::string(nothing_selected(run).what())
          .find(R"(--series 'fixed_pool:service=bimodal(0.9,1,10),x=it'\''s' --workload sleep)"),
      std::string::npos)
      << nothing_selected(run).what();
}

}  // namespace
}  // namespace precipice
