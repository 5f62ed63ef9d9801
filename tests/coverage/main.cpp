// precipice_coverage: bias, deviation and coverage of the estimators over many simulated searches.
//
//   precipice_coverage --searches 2000 --jobs 2
//   precipice_coverage --searches 400 --queue M/M/1 --size quick
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "harness/json.hpp"
#include "tests/coverage/coverage.hpp"

namespace {

using namespace precipice;
using namespace precipice::coverage;

nlohmann::json to_json(const Tally& tally) {
  return {{"truth_per_s", tally.truth},
          {"searches", tally.searches},
          {"measured", tally.measured},
          {"bias", tally.bias()},
          {"deviation", tally.deviation()},
          {"coverage", tally.coverage()},
          {"coverage_error", tally.coverage_error()},
          {"half_width", tally.half_width()},
          {"interval_below_truth", tally.too_low},
          {"interval_above_truth", tally.too_high}};
}

void print(const std::string& queue, const Tallies& tallies, bool all) {
  for (std::size_t figure = 0; figure < kFigures; ++figure) {
    const Tally& t = tallies[figure];
    if (!all && (figure == 1 || figure == 2)) continue;
    fmt::print(
        "| {} | {} | {:.1f} | {:+.2f} | {:.2f} | {:.1f} | {:.1f} +- {:.1f} | {:.1f} / {:.1f} | "
        "{:.1f} |\n",
        queue, kFigureNames[figure], t.truth, 100 * t.bias(), 100 * t.deviation(),
        100 * t.half_width(), 100 * t.coverage(), 100 * t.coverage_error(),
        100.0 * t.too_low / t.searches, 100.0 * t.too_high / t.searches,
        100.0 * t.measured / t.searches);
  }
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Bias, deviation and coverage of the estimators over simulated searches",
               "precipice_coverage");
  int searches = 200, jobs = 1, blocks = 0;
  double requests = 0;
  std::uint64_t seed = 1;
  std::string only, size_name;
  bool json = false, all = false, no_twin = false;
  TwinError twin = {.slower = 1.03, .scatter = 0.05};
  app.add_option("--searches", searches, "Searches per queue")->check(CLI::Range(2, 1'000'000));
  app.add_option("--queue", only, "Only queues whose name contains this");
  app.add_option("--size", size_name,
                 "full, minute, standard, reference or quick; default: the last three");
  app.add_option("--requests", requests, "Requests of a saturated trial instead of the size's own");
  app.add_option("--blocks", blocks, "Blocks instead of the size's own");
  app.add_option("--jobs", jobs, "Threads")->check(CLI::Range(1, 256));
  app.add_option("--seed", seed, "Of the first search");
  app.add_flag("--all", all, "The looser and the tighter cliff too");
  app.add_flag("--no-twin", no_twin, "Estimate without twins");
  app.add_option("--slower", twin.slower, "The queue's mean service over its twin's");
  app.add_option("--scatter", twin.scatter,
                 "Deviation of the logarithm of a request's service over its twin's");
  app.add_flag("--json", json, "One JSON document");
  CLI11_PARSE(app, argc, argv);

  nlohmann::json document = nlohmann::json::array();
  bool any = false;
  for (const Size& size : sizes()) {
    const bool long_one = size.name == "full" || size.name == "minute";
    if (size_name.empty() ? long_one : size.name != size_name) continue;
    Plan plan = size.plan;
    if (blocks > 0) plan.blocks = blocks;
    if (!no_twin) plan.oracle_twin = twin;
    if (requests > 0) {
      plan.window = Nanos(static_cast<std::int64_t>(requests * 1e6));
      plan.coarse_window = plan.window / 2;
    }
    if (!json) {
      fmt::print(
          "\n{}: {} blocks, windows of {} S, {} searches a queue, seeds from {}\n\n"
          "| queue | figure | truth/s | bias % | deviation % | half width % | coverage % | misses "
          "below / above % | ok % |\n"
          "|---|---|---|---|---|---|---|---|---|\n",
          size.name, plan.blocks, plan.window.count() / 1'000'000, searches, seed);
    }
    const auto begun = std::chrono::steady_clock::now();
    for (const Queue& queue : queues()) {
      if (queue.name.find(only) == std::string::npos) continue;
      any = true;
      const Tallies tallies = study(queue, plan, searches, seed, jobs);
      if (!json) {
        print(queue.name, tallies, all);
        continue;
      }
      nlohmann::json figures;
      for (std::size_t i = 0; i < kFigures; ++i) figures[kFigureNames[i]] = to_json(tallies[i]);
      document.push_back(
          {{"size", size.name}, {"queue", queue.name}, {"seed", seed}, {"figures", figures}});
    }
    const double took =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    if (!json) fmt::print("\n{:.0f} s\n", took);
  }
  if (!any) {
    fmt::print(
        stderr,
        "no queue or size of that name; sizes: full, minute, standard, reference, quick; queues:");
    for (const Queue& queue : queues()) fmt::print(stderr, " '{}'", queue.name);
    fmt::print(stderr, "\n");
    return 2;
  }
  if (json) fmt::print("{}\n", json_text(document, 2));
  return 0;
}
