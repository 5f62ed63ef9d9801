#include "harness/live_view.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/table.hpp"
#include "harness/terminal.hpp"

namespace precipice {
namespace {

std::string rate_or_dash(double per_s) { return per_s > 0 ? short_rate(per_s) + "/s" : "-"; }

std::string under_way(const CampaignHost::Progress& p) {
  std::string text = fmt::format("cell {}/{}  {} {}  {}", p.cell, p.cells, p.series, p.workload,
                                 to_string(p.phase));
  text += p.closed > 0 ? fmt::format("  {} in flight", p.closed)
                       : fmt::format("  {}/s", short_rate(p.rate_per_s));
  if (p.last != nullptr)
    text += fmt::format("  last p99 {}", short_time(static_cast<double>(p.last->response.p99)));
  text += fmt::format("  {} elapsed", readable_duration(p.elapsed_s));
  if (p.left_s > 0) text += fmt::format(", {} left", readable_duration(p.left_s));
  return text;
}

}  // namespace

std::vector<std::string> live_view(const CampaignHost::Progress& progress,
                                   const CapacitySoFar& so_far, std::size_t width,
                                   std::size_t height) {
  std::vector<std::string> lines = {under_way(progress)};
  const std::vector<CapacitySoFar::Series> all = so_far.of_workload(progress.workload);
  const std::string invalid =
      fmt::format("invalid {} of {} trials", so_far.invalid(), so_far.trials());
  if (all.size() + 2 <= height) {
    std::size_t name = 0;
    for (const auto& each : all) name = std::max(name, each.series.size());
    for (const auto& each : all) {
      lines.push_back(fmt::format("{} {:<{}}  holds {:>8}  carries {:>8}  invalid {}/{}",
                                  each.series == progress.series ? ">" : " ", each.series, name,
                                  rate_or_dash(each.holds_per_s), rate_or_dash(each.carries_per_s),
                                  each.invalid, each.trials));
    }
    // On a narrow terminal the name is what can be spared.
    std::size_t longest = 0;
    for (std::size_t i = 1; i < lines.size(); ++i) longest = std::max(longest, lines[i].size());
    if (longest > width && name > 8) {
      const std::size_t over = std::min(longest - width, name - 8);
      for (std::size_t i = 1; i < lines.size(); ++i) lines[i].erase(2 + name - over, over);
    }
    if (so_far.trials() > 0) lines.push_back("  " + invalid);
  } else if (height >= 2) {
    lines.push_back("  " + invalid);
  }
  if (lines.size() > height) lines.resize(std::max<std::size_t>(height, 1));
  for (std::string& line : lines) {
    if (line.size() > width) line.resize(width);
  }
  return lines;
}

}  // namespace precipice
