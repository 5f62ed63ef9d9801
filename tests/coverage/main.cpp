// precipice_coverage: bias, deviation and coverage of the estimators over many simulated searches.
//
//   precipice_coverage --searches 2000 --jobs 2
//   precipice_coverage --searches 400 --queue M/M/1 --size quick
//   precipice_coverage --comparisons --searches 400 --size quick
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "harness/json.hpp"
#include "tests/coverage/comparisons.hpp"
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

/// Families of equal models, and planted differences: the alarms and the finds of one figure.
void print_comparisons(const Queue& queue, const Plan& plan, const ComparisonStudy& study) {
  const ComparisonTallies tallies = compare_equals(queue, plan, study);
  for (std::size_t figure = 0; figure < tallies.size(); ++figure) {
    const ComparisonTally& t = tallies[figure];
    const auto share = [](int part, int of) { return of > 0 ? 100.0 * part / of : 0.0; };
    fmt::print("| {} | {} | {:.1f} | {:.2f} | {:.1f} | {:.1f} | {:.1f} | {:.1f} |\n", queue.name,
               kComparedFigures[figure], share(t.alarms, t.families), share(t.apart, t.pairs),
               share(t.found, t.families), share(t.found_in_family, t.families),
               50 * t.log_widths / t.families, 0.5 * t.blocks_of_pairs / t.families);
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
  bool json = false, all = false, no_twin = false, comparisons = false;
  TwinError twin = {.slower = 1.03, .scatter = 0.05};
  ComparisonStudy study_of_pairs;
  app.add_option("--searches", searches, "Searches per queue")->check(CLI::Range(2, 1'000'000));
  app.add_option("--queue", only, "Only the queue of this name, else those whose names contain it");
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
  app.add_flag("--comparisons", comparisons,
               "Instead: false alarms in families of equal models, and planted differences found");
  app.add_option("--models", study_of_pairs.models, "Equal models in a family")
      ->check(CLI::Range(2, 50));
  app.add_option("--difference", study_of_pairs.difference, "Planted, as 0.15");
  app.add_option("--further-blocks", study_of_pairs.further_blocks,
                 "Group-sequential: so many blocks more, of models whose order is open alone")
      ->check(CLI::Range(0, 1000));
  app.add_flag("--common-luck", study_of_pairs.common_luck, "The planted pair shares its arrivals");
  CLI11_PARSE(app, argc, argv);

  nlohmann::json document = nlohmann::json::array();
  bool any = false;
  const bool named = std::any_of(queues().begin(), queues().end(),
                                 [&](const Queue& queue) { return queue.name == only; });
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
    if (comparisons) {
      study_of_pairs.families = searches;
      study_of_pairs.seed = seed;
      study_of_pairs.jobs = jobs;
      fmt::print(
          "\n{}: {} blocks, up to {} further ones, {} families of {} equal models and one that is "
          "{:g}% faster{}\n\n"
          "| queue | figure | families with a false alarm % | pairs % | pair found % | first of "
          "all "
          "found % | half width of its ratio % | blocks of the pair "
          "|\n|---|---|---|---|---|---|---|---|\n",
          size.name, plan.blocks, study_of_pairs.further_blocks, searches, study_of_pairs.models,
          100 * study_of_pairs.difference,
          study_of_pairs.common_luck ? ", sharing its arrivals" : "");
    } else if (!json) {
      fmt::print(
          "\n{}: {} blocks, windows of {} S, {} searches a queue, seeds from {}\n\n"
          "| queue | figure | truth/s | bias % | deviation % | half width % | coverage % | misses "
          "below / above % | ok % |\n"
          "|---|---|---|---|---|---|---|---|---|\n",
          size.name, plan.blocks, plan.window.count() / 1'000'000, searches, seed);
    }
    const auto begun = std::chrono::steady_clock::now();
    for (const Queue& queue : queues()) {
      if (named ? queue.name != only : queue.name.find(only) == std::string::npos) continue;
      any = true;
      if (comparisons) {
        print_comparisons(queue, plan, study_of_pairs);
        continue;
      }
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
