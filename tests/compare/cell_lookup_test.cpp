#include "harness/compare/cell_lookup.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "harness/capacity/point.hpp"
#include "harness/compare/claim_parser.hpp"
#include "harness/compare/claim_verdict.hpp"
#include "harness/trial/spec.hpp"

namespace precipice {
namespace {

std::vector<CellName> cells(std::initializer_list<std::pair<const char*, const char*>> names) {
  std::vector<CellName> result;
  for (const auto& [model, workload] : names)
    result.push_back({parse_spec(model, "model"), parse_spec(workload, "workload")});
  return result;
}

std::string resolution(const char* series, const char* workload,
                       const std::vector<CellName>& among) {
  try {
    return std::to_string(
        resolve_cell(parse_spec(series, "series"), parse_spec(workload, "workload"), among));
  } catch (const UsageError& error) {
    return error.what();
  }
}

TEST(CellReference, MeansExactlyOneCellOrListsTheCandidates) {
  const auto among = cells({{"fixed_pool:threads=8", "sleep:wait=5ms"},
                            {"fixed_pool:threads=64", "sleep:wait=5ms"},
                            {"event_loop", "sleep:wait=5ms"},
                            {"event_loop", "sleep:wait=10ms"},
                            {"event_loop", "cpu"}});
  EXPECT_EQ(resolution("fixed_pool:threads=64", "sleep", among), "1");
  EXPECT_EQ(resolution("fixed_pool:threads=64", "sleep:wait=5000us", among), "1");
  EXPECT_EQ(resolution("event_loop", "cpu:work=200us", among), "4") << "its default";
  const std::string ambiguous = resolution("fixed_pool", "sleep", among);
  EXPECT_NE(ambiguous.find("could be 2 cells"), std::string::npos) << ambiguous;
  EXPECT_NE(ambiguous.find("fixed_pool:threads=8, sleep:wait=5ms"), std::string::npos) << ambiguous;
  EXPECT_EQ(ambiguous.find("event_loop"), std::string::npos) << ambiguous;
  const std::string nothing = resolution("fixed_pool:threads=9", "sleep", among);
  EXPECT_NE(nothing.find("no cell"), std::string::npos) << nothing;
  EXPECT_NE(nothing.find("event_loop, cpu"), std::string::npos) << nothing;
}

TEST(CellReference, PrefersTheOneThatIsWrittenInTheVerySameWay) {
  const auto among = cells({{"event_loop", "sleep"}, {"event_loop", "sleep:wait=10ms"}});
  EXPECT_EQ(resolution("event_loop", "sleep", among), "0");
}

}  // namespace
}  // namespace precipice
