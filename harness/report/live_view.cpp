#include "harness/report/live_view.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/format.hpp"
#include "harness/report/series_names.hpp"
#include "harness/report/text_style.hpp"
#include "harness/shown_text.hpp"

namespace precipice {
namespace {

std::string rate_or_dash(double per_s) { return per_s > 0 ? short_rate(per_s) + "/s" : "-"; }

/// Names are what can be spared, in their middle.
constexpr TableStyle kPlain{.width = 0, .colour = false, .utf8 = false};

std::string under_way(const CampaignHost::Progress& p, std::size_t width) {
  std::string rest = fmt::format("  {}", to_string(p.phase));
  rest += p.closed > 0 ? fmt::format("  {} in flight", p.closed)
                       : fmt::format("  {}/s", short_rate(p.rate_per_s));
  if (p.last != nullptr && p.last->response.known)
    rest += fmt::format("  last p99 {}", short_time(static_cast<double>(p.last->response.p99)));
  const std::string cell = fmt::format("cell {}/{}  ", p.cell, p.cells);
  const std::string name = shown_in_line(fmt::format("{} {}", p.series, p.workload));
  const std::size_t taken = cell.size() + rest.size();
  return cell + shortened(name, std::max<std::size_t>(12, width - std::min(width, taken)), kPlain) +
         rest;
}

std::string series_line(const CapacitySoFar::Series& each, const std::string& shown, bool current,
                        std::size_t name) {
  return fmt::format("{} {:<{}}  holds {:>8}  carries {:>8}  invalid {}/{}", current ? ">" : " ",
                     shown, name, rate_or_dash(each.holds_per_s), rate_or_dash(each.carries_per_s),
                     each.invalid, each.trials);
}

}  // namespace

std::vector<std::string> live_view(const CampaignHost::Progress& progress,
                                   const CapacitySoFar& so_far, std::size_t width,
                                   std::size_t height) {
  std::vector<std::string> lines = {under_way(progress, width)};
  std::vector<CapacitySoFar::Series> all = so_far.of_workload(progress.workload);
  if (all.size() + 2 > height)
    std::erase_if(all, [&](const auto& each) { return each.series != progress.series; });
  if (all.size() + 2 > height) all.clear();
  std::size_t name = 0, longest = 0;
  std::vector<std::string> names;
  for (const auto& each : all) names.push_back(shown_in_line(each.series));
  for (const std::string& each : names) name = std::max(name, each.size());
  for (const auto& each : all)
    longest = std::max(longest, series_line(each, "", false, name).size());
  if (longest > width) name = std::max<std::size_t>(8, name - std::min(name, longest - width));
  names = fitted_names(names, name, kPlain);
  for (std::size_t i = 0; i < all.size(); ++i)
    lines.push_back(series_line(all[i], names[i], all[i].series == progress.series, name));
  std::string time = readable_duration(progress.elapsed_s) + " elapsed";
  if (progress.left_s > 0) time += fmt::format(", {} left", readable_duration(progress.left_s));
  lines.push_back(
      fmt::format("  {} of {} trials invalid  {}", so_far.invalid(), so_far.trials(), time));
  if (lines.size() > height) lines.resize(std::max<std::size_t>(height, 1));
  for (std::string& line : lines) {
    if (line.size() > width) line.resize(width);
  }
  return lines;
}

}  // namespace precipice
