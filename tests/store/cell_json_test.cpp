#include "harness/store/cell_json.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "harness/capacity/slo_grid.hpp"
#include "harness/json.hpp"
#include "harness/stats/estimate.hpp"
#include "harness/stats/statistics.hpp"

namespace precipice {
namespace {

TEST(CellJson, GridIsShortAsText) {
  EXPECT_TRUE(to_json(SloGrid()).is_null());
  SloGrid grid;
  grid.percentiles = {50, 99.9};
  grid.bounds_ns = {1e6, 2.5e6};
  Estimate found;
  found.value = 12.5;
  found.low = 10;
  found.high = kInfinity;
  found.reached = Reached::above;
  Estimate saturated = found;
  saturated.reached = Reached::ok;
  saturated.limited_by = LimitedBy::saturation;
  grid.cliffs = {{found, saturated}, {Estimate(), found}};
  const std::string text = json_text(to_json(grid), 1);
  EXPECT_EQ(text, R"({
 "percentiles": [50.0, 99.9],
 "bounds_ns": [1000000.0, 2500000.0],
 "cliffs": [
  {
   "value": [12.5, 12.5],
   "low": [10.0, 10.0],
   "high": [null, null],
   "reached": "above ok",
   "limited_by": "- saturation"
  },
  {
   "value": [null, 12.5],
   "low": [null, 10.0],
   "high": [null, null],
   "reached": "unmeasured above",
   "limited_by": "- -"
  }
 ]
})");
}

TEST(JsonText, LeavesOtherArraysAndTextAsTheyAre) {
  const Json json = {
      {"a", {"[1,\n 2]", "\\", "["}}, {"b", {1, nullptr}}, {"c", Json::array()}, {"d", {true}}};
  EXPECT_EQ(Json::parse(json_text(json, 2)), json);
  EXPECT_NE(json_text(json, 2).find("\"b\": [1, null]"), std::string::npos);
  EXPECT_NE(json_text(json, 2).find("\"c\": []"), std::string::npos);
}

}  // namespace
}  // namespace precipice
