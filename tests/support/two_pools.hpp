// A run of two pools whose curves are known, and how its pictures are looked at.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/record.hpp"
#include "harness/report/tail_curves.hpp"
#include "harness/report/text_style.hpp"
#include "tests/support/command_line.hpp"

namespace precipice::testing {

inline std::size_t longest_line(const std::string& text) {
  std::size_t longest = 0;
  for (const std::string& line : lines_of(text)) longest = std::max(longest, columns(line));
  return longest;
}

inline bool is_ascii(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 128; });
}

/// A queue of M/M/1 form on offered rates in steps of a tenth of its capacity.
inline CellSummary curve_cell(const std::string& threads, double capacity_per_s, double slo_ns) {
  CellSummary cell;
  cell.model = {"fixed_pool", {{"threads", threads}}};
  cell.workload = {"sleep", {{"wait", "5ms"}}};
  cell.slo_ns = slo_ns;
  cell.result.cliff.reached = Reached::ok;
  cell.result.cliff.value = capacity_per_s - 4.605e9 / slo_ns;
  for (int block = 0; block < 3; ++block) {
    for (int step = 1; step < 20; ++step) {
      Record record;
      record.used = true;
      record.block = block;
      record.trial.request.rate_per_s = capacity_per_s * step / 20;
      record.trial.response.known = true;
      record.trial.response.p99 =
          std::lround((block == 2 ? 50 : 1) * 4.605e9 / (capacity_per_s * (20 - step) / 20));
      cell.points.push_back(record);
    }
  }
  return cell;
}

inline CampaignResult two_pools(double slo_ns) {
  CampaignResult result;
  result.cells = {curve_cell("8", 1000, slo_ns), curve_cell("512", 4000, slo_ns)};
  return result;
}

}  // namespace precipice::testing
