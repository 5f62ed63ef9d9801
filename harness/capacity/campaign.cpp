#include "harness/capacity/campaign.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "harness/capacity/cell_evidence.hpp"
#include "harness/capacity/cell_plan.hpp"
#include "harness/capacity/cell_search.hpp"
#include "harness/capacity/cliff.hpp"
#include "harness/capacity/ideal.hpp"
#include "harness/capacity/point.hpp"
#include "harness/capacity/probe_attempts.hpp"
#include "harness/capacity/search.hpp"
#include "harness/capacity/service_level.hpp"
#include "harness/capacity/stopping_rule.hpp"
#include "harness/capacity/summarise_cell.hpp"
#include "harness/stats/estimate.hpp"
#include "harness/trial/interrupt.hpp"
#include "models/model.hpp"
#include "models/random.hpp"

namespace precipice {
namespace {

/// The order of everything; one object per run.
class Campaign {
 public:
  Campaign(const Plan& plan, CampaignHost& host, const OpenCells& order_open)
      : plan_(plan), host_(host), order_open_(order_open), attempts_(plan, host, progress_) {}

  CampaignResult run() {
    set_up();
    for (int block = 0; block < plan_.blocks && !stopped(); ++block) {
      if (out_of_budget(block, block_took_) || mark_known(plan_, block, cells_)) break;
      const Time block_begun = Io::now();
      calibrate_block(block, std::vector<bool>(cells_.size(), true));
      for (const std::size_t index : shuffled(block)) {
        if (stopped() || out_of_budget(block, Nanos{0})) break;
        if (cells_[index].known)
          ++progress_.cell;
        else
          run_cell(cells_[index], block);
      }
      if (!stopped() && !result_.out_of_budget) ++result_.blocks_done;
      // The first block also searches; its cells have said what it takes without.
      if (block > 0 || plan_.blocks == 1) block_took_ = Io::now() - block_begun;
    }
    retry_cells_without_figure();
    if (order_open_) measure_further_blocks();
    for (CampaignCell& cell : cells_) take_kept_attempts(cell);
    result_.interrupted = stopped();
    for (CampaignCell& cell : cells_) {
      CellSummary& summary = cell.summary;
      if (summary.failure.empty() && cell.search)
        summarise_cell(plan_,
                       result_.service_by_block[service_key(summary.model, summary.workload)],
                       ideal_of(plan_, summary), summary);
      result_.cells.push_back(std::move(summary));
    }
    return std::move(result_);
  }

 private:
  /// The first block is always finished: without it there is no result at all. A block that would
  /// end after the budget is not begun.
  bool out_of_budget(int block, Nanos ahead) {
    const bool spent =
        block > 0 && plan_.budget.count() > 0 && attempts_.elapsed() + ahead > plan_.budget;
    result_.out_of_budget = result_.out_of_budget || spent;
    return spent;
  }

  /// A group-sequential design: one block at a time of the open cells alone, as long as the budget
  /// lasts. One that an earlier start of the run has begun is finished whatever the budget, since a
  /// reader of the journal counts it.
  void measure_further_blocks() {
    constexpr int kMostTimesPlanned = 4;
    const int most = kMostTimesPlanned * plan_.blocks;
    for (int block = result_.blocks_done; block >= plan_.blocks && block < most; ++block) {
      std::vector<bool> chosen = begun(block);
      const bool resumed = std::find(chosen.begin(), chosen.end(), true) != chosen.end();
      if (stopped() || (!resumed && plan_.budget.count() <= 0)) return;
      const std::vector<bool> open = open_cells(block);
      Nanos ahead{0};
      for (std::size_t i = 0; i < cells_.size(); ++i) {
        if (open[i]) ahead += cells_[i].block_took;
        chosen[i] = chosen[i] || open[i];
      }
      const auto count = std::count(chosen.begin(), chosen.end(), true);
      if (count == 0 || (!resumed && attempts_.elapsed() + ahead > plan_.budget)) return;
      progress_.cells += static_cast<int>(count);
      calibrate_block(block, chosen);
      for (const std::size_t index : shuffled(block)) {
        if (!stopped() && chosen[index]) run_cell(cells_[index], block);
      }
      if (!stopped()) ++result_.blocks_done;
    }
  }

  /// Cells of which the journal has a trial of this block.
  std::vector<bool> begun(int block) {
    std::vector<bool> result;
    for (const CampaignCell& cell : cells_)
      result.push_back(cell.search && attempts_.begun(cell, cell.search->block(block), block));
    return result;
  }

  /// With a precision those that are not known to it, else those whose order is open.
  std::vector<bool> open_cells(int blocks) {
    if (plan_.precision > 0) {
      mark_known(plan_, blocks, cells_);
      std::vector<bool> open;
      for (const CampaignCell& cell : cells_)
        open.push_back(!cell.known && cell.search && cell.summary.failure.empty());
      return open;
    }
    so_far_.cells.resize(cells_.size());
    so_far_.blocks_done = blocks;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      const CellSummary& now = cells_[i].summary;
      CellSummary& then = so_far_.cells[i];
      if (blocks > plan_.blocks && then.evidence.size() == now.evidence.size()) continue;
      then = now;
      if (now.failure.empty() && cells_[i].search) estimate_figures(plan_, then);
    }
    return order_open_(so_far_);
  }

  static void fail(CampaignCell& cell, const std::string& why) {
    cell.summary.failure = why;
    cell.summary.lacking = true;
  }
  bool stopped() { return cut_short_ || host_.stop_requested(); }

  void set_up() {
    for (const Spec& workload : plan_.workloads) {
      for (const Spec& model : plan_.models) {
        if (!plan_.includes(model, workload)) continue;
        CampaignCell cell;
        cell.summary.model = model;
        cell.summary.workload = workload;
        cell.summary.slo_percentile = plan_.slo_of(workload).percentile;
        cells_.push_back(std::move(cell));
      }
    }
    progress_.cells = static_cast<int>(cells_.size()) * plan_.blocks;
  }

  /// Fisher and Yates on our own generator, so that a seed means the same order everywhere.
  std::vector<std::size_t> shuffled(int block) const {
    std::vector<std::size_t> order(cells_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    Random random(mix64(plan_.seed ^ mix64(static_cast<std::uint64_t>(block) + 1)));
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
    return order;
  }

  static std::string service_of(const CampaignCell& cell) {
    return service_key(cell.summary.model, cell.summary.workload);
  }

  /// S of the workloads and the targets of the cells that the block has.
  void calibrate_block(int block, const std::vector<bool>& has) {
    std::set<std::string> measured;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      const CellSummary& first = cells_[i].summary;
      const std::string name = service_of(cells_[i]);
      if (!has[i] || first.model.name == "oracle" || stopped()) continue;
      if (!measured.insert(name).second) continue;
      const std::string key = fmt::format("{} | b{}", name, block);
      auto found = host_.find_calibration(key);
      if (!found) {
        try {
          const auto target = plan_.target_of(first.model);
          found = CalibrationRecord{key, name, block,
                                    target != nullptr
                                        ? host_.calibrate_target(*target, plan_.generator_cpus)
                                        : host_.calibrate(first.workload, plan_.model_cpus)};
        } catch (const Interrupted&) {
          cut_short_ = true;
          return;
        } catch (const Unavailable& missing) {
          // Without a first S there is nothing to hold the cells against; later ones only follow
          // the drift. Without its CPUs this is another machine.
          const bool gone = dynamic_cast<const CpusGone*>(&missing) != nullptr;
          for (CampaignCell& cell : cells_) {
            if (service_of(cell) != name) continue;
            if (block == 0 || gone) {
              fail(cell, missing.what());
            } else {
              cell.summary.note = missing.what();
            }
          }
          continue;
        }
        host_.keep(*found);
      }
      result_.service_by_block[name][block] = found->calibration;
      if (block == 0) result_.service[name] = found->calibration;
    }
    if (block == 0) {
      for (CampaignCell& cell : cells_) fix_reference(cell);
    }
  }

  /// S_ref, the SLO and the windows are fixed once for the whole run.
  void fix_reference(CampaignCell& cell) {
    CellSummary& summary = cell.summary;
    const auto reference = reference_service(summary.model, summary.workload, result_.service);
    if (!reference) return;
    cell.cell_plan = plan_cell(plan_, summary.model, summary.workload, *reference);
    summary.service_time_ns = cell.cell_plan.service.mean_ns;
    summary.slo_ns = cell.cell_plan.slo_ns;
    summary.options.twin = cell.cell_plan.search.twin;
    cell.search.emplace(cell.cell_plan.search);
  }

  CellMeasurement measurement_of(CampaignCell& cell, int block) {
    return {.measure = [this, &cell,
                        block](const Probe& p) { return attempts_.measure(cell, p, block); },
            .proceed = [this, &cell] { return !stopped() && cell.summary.failure.empty(); },
            .steer_by_disturbed = cell.steered};
  }

  /// What a cell does, with the ends that every part of it has.
  template <class Work>
  void guarded(CampaignCell& cell, Work work) {
    try {
      work();
    } catch (const Unavailable& missing) {
      fail(cell, missing.what());
    } catch (const Interrupted&) {
      cut_short_ = true;
    }
  }

  void run_cell(CampaignCell& cell, int block) {
    ++progress_.cell;
    show(cell);
    const int before = cell.summary.trials, invalid_before = cell.summary.invalid;
    if (!cell.summary.failure.empty() || !cell.search) return;
    bool whole = true;
    guarded(cell, [&] {
      whole = (block > 0 || search_for_cliff(cell));
      const Time searched = Io::now();
      whole = whole && measure_block(*cell.search, block, measurement_of(cell, block),
                                     cell.summary.evidence);
      // What the first block takes without its search is what the next one will take; a block that
      // is read from the journal takes nothing.
      cell.block_took = std::max(cell.block_took, Io::now() - searched);
      if (whole && block == 0) block_took_ += Io::now() - searched;
    });
    if (!whole || cut_short_) return;
    const int trials = cell.summary.trials - before,
              invalid = cell.summary.invalid - invalid_before;
    host_.cell_finished(progress_, cell.summary.failure.empty()
                                       ? fmt::format("{} trials, {} invalid", trials, invalid)
                                       : cell.summary.failure);
  }

  void show(const CampaignCell& cell) {
    progress_.series = cell.summary.model.to_string();
    progress_.workload = cell.summary.workload.to_string();
  }

  /// Where no valid trial shows a rate to measure at, the search begins again with disturbed trials
  /// for its guide: they are enough to know where to measure, and the cell's blocks then have a
  /// chance of valid ones.
  bool search_for_cliff(CampaignCell& cell) {
    const std::vector<Point>& evidence = cell.summary.evidence;
    if (!search_cell(*cell.search, measurement_of(cell, 0), cell.summary.evidence)) return false;
    const bool disturbed = std::any_of(evidence.begin(), evidence.end(),
                                       [](const Point& point) { return point.disturbed; });
    if (cell.search->coarse_rate_per_s() > 0 || !disturbed) return true;
    return search_again(cell);
  }

  /// From the beginning; what was measured before is not measured again.
  bool search_again(CampaignCell& cell) {
    cell.steered = true;
    cell.search.emplace(cell.cell_plan.search);
    std::vector<Point> path;
    const bool whole = search_cell(*cell.search, measurement_of(cell, 0), path);
    gather_evidence(cell);
    return whole;
  }

  /// One point a probe, as a reader of the journal has it.
  static void gather_evidence(CampaignCell& cell) {
    cell.summary.evidence.clear();
    for (const MeasuredProbe& each : cell.probes) cell.summary.evidence.push_back(each.point);
  }

  bool without_figure(const CampaignCell& cell) const {
    if (!cell.summary.failure.empty() || !cell.search || cell.summary.lacking) return false;
    CliffOptions options = cliff_options(plan_, cell.summary);
    options.bootstrap = 10;  // no interval is looked at
    const CellResult result = analyse(cell.summary.evidence, options);
    return result.cliff.reached == Reached::unmeasured ||
           result.saturation.reached == Reached::unmeasured;
  }

  bool budget_left() {
    if (plan_.budget.count() <= 0 || attempts_.elapsed() < plan_.budget) return true;
    result_.out_of_budget = true;
    return false;
  }

  /// What disturbed a cell may have passed by the end of the run. With a budget as often as it
  /// lasts, else once; a round in which nothing became valid is the last.
  void retry_cells_without_figure() {
    constexpr int kMostRounds = 20;
    const int rounds = plan_.budget.count() > 0 ? kMostRounds : 1;
    bool gained = true;
    for (int round = 0; gained && round < rounds; ++round) {
      gained = false;
      for (CampaignCell& cell : cells_) {
        if (stopped() || !without_figure(cell)) continue;
        if (!budget_left()) return;
        gained = retry(cell) || gained;
      }
    }
  }

  /// Attempts that an earlier start of the run made at its end, and this one had no reason to make:
  /// a reader of the journal counts them.
  void take_kept_attempts(CampaignCell& cell) {
    bool taken = false;
    for (MeasuredProbe& each : cell.probes) {
      while (each.repeatable && host_.find(each.key_of(each.attempts + 1))) {
        attempts_.attempt(cell, each, 1);
        taken = true;
      }
    }
    if (taken) gather_evidence(cell);
  }

  /// Its invalid probes once more, those of the cliff first. True when one became valid.
  bool retry(CampaignCell& cell) {
    constexpr int kHopeless = 3;  // invalid in a row: what disturbs is still there
    show(cell);
    std::vector<std::size_t> invalid;
    for (std::size_t i = 0; i < cell.probes.size(); ++i) {
      if (cell.probes[i].repeatable) invalid.push_back(i);
    }
    if (invalid.empty()) return false;
    std::stable_partition(invalid.begin(), invalid.end(), [&](std::size_t i) {
      return cell.probes[i].probe.phase == Phase::refine;
    });
    int in_a_row = 0, gained = 0;
    guarded(cell, [&] {
      for (const std::size_t i : invalid) {
        if (stopped() || in_a_row >= kHopeless || !budget_left()) break;
        attempts_.attempt(cell, cell.probes[i], plan_.repeats + 1);
        const bool valid = cell.probes[i].point.valid;
        in_a_row = valid ? 0 : in_a_row + 1;
        gained += valid ? 1 : 0;
        if (!cell.summary.failure.empty()) return;
      }
      gather_evidence(cell);
      if (gained == 0 || cell.search->coarse_rate_per_s() > 0 || !search_again(cell)) return;
      for (int block = 0; block < std::max(1, result_.blocks_done); ++block) {
        if (block > 0 && !budget_left()) break;
        const bool whole =
            measure_block(*cell.search, block, measurement_of(cell, block), cell.summary.evidence);
        if (!whole) break;
      }
      gather_evidence(cell);
    });
    if (!cut_short_) {
      host_.cell_finished(progress_, fmt::format("tried again: {} of {} invalid points are valid "
                                                 "now",
                                                 gained, invalid.size()));
    }
    return gained > 0;
  }

  const Plan& plan_;
  CampaignHost& host_;
  const OpenCells& order_open_;
  CampaignHost::Progress progress_;
  ProbeAttempts attempts_;
  Nanos block_took_{0};  ///< the last one, the search left out
  std::vector<CampaignCell> cells_;
  CampaignResult result_, so_far_;
  bool cut_short_ = false;
};

}  // namespace

CampaignResult run_campaign(const Plan& plan, CampaignHost& host, const OpenCells& order_open) {
  return Campaign(plan, host, order_open).run();
}

}  // namespace precipice
