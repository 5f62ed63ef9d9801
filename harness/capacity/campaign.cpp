#include "harness/capacity/campaign.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "harness/capacity/cell_evidence.hpp"
#include "harness/capacity/cell_plan.hpp"
#include "harness/capacity/cell_search.hpp"
#include "harness/capacity/ideal.hpp"
#include "harness/capacity/point.hpp"
#include "harness/capacity/search.hpp"
#include "harness/capacity/service_level.hpp"
#include "harness/capacity/summarise_cell.hpp"
#include "harness/stats/estimate.hpp"
#include "harness/trial/gates.hpp"
#include "harness/trial/interrupt.hpp"
#include "models/model.hpp"
#include "models/random.hpp"

namespace precipice {
namespace {

double seconds(Nanos duration) { return std::chrono::duration<double>(duration).count(); }

struct Cell {
  CellSummary summary;
  CellPlan cell_plan;
  std::optional<Search> search;
  bool quota_shown = false;  ///< a CPU quota throttled a trial and its repetition
};

/// The order of everything; one object per run.
class Campaign {
 public:
  Campaign(const Plan& plan, CampaignHost& host) : plan_(plan), host_(host), begun_(Io::now()) {}

  CampaignResult run() {
    set_up();
    for (int block = 0; block < plan_.blocks && !stopped(); ++block) {
      if (out_of_budget(block, block_took_) || precise_enough(block)) break;
      const Time block_begun = Io::now();
      calibrate_block(block);
      for (const std::size_t index : shuffled(block)) {
        if (stopped() || out_of_budget(block, Nanos{0})) break;
        run_cell(cells_[index], block);
      }
      if (!stopped() && !result_.out_of_budget) ++result_.blocks_done;
      // The first block also searches; its cells have said what it takes without.
      if (block > 0 || plan_.blocks == 1) block_took_ = Io::now() - block_begun;
    }
    result_.interrupted = stopped();
    for (Cell& cell : cells_) {
      CellSummary& summary = cell.summary;
      if (summary.failure.empty() && cell.search)
        summarise_cell(plan_, result_.service_by_block[summary.workload.to_string()],
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
        block > 0 && plan_.budget.count() > 0 && Io::now() - begun_ + ahead > plan_.budget;
    result_.out_of_budget = result_.out_of_budget || spent;
    return spent;
  }

  /// Every cell's cliff and saturation known to within plan.precision, either way.
  bool precise_enough(int block) {
    // Fewer blocks show their own scatter too badly for an interval to be a reason to stop.
    constexpr int kLeastBlocks = 5, kLeastOfSaturation = 4;
    if (plan_.precision <= 0 || block < kLeastOfSaturation) return false;
    const auto precise = [&](const Estimate& estimate) {
      return estimate.reached == Reached::ok &&
             (estimate.high - estimate.low) / 2 <= plan_.precision * estimate.value;
    };
    bool all = block >= kLeastBlocks;
    for (Cell& cell : cells_) {
      if (!cell.summary.failure.empty() || !cell.search) continue;
      CellSummary summary = cell.summary;
      estimate_figures(plan_, summary);
      const CellResult& result = summary.result;
      if (precise(result.saturation)) cell.search->settle();
      // What could not be offered, or met by nothing, no further block will show.
      if (cell.search->bracketed())
        all = all && precise(result.cliff) && precise(result.saturation);
    }
    return all;
  }

  static void fail(Cell& cell, const std::string& why) {
    cell.summary.failure = why;
    cell.summary.lacking = true;
  }
  bool stopped() { return cut_short_ || host_.stop_requested(); }

  void set_up() {
    for (const Spec& workload : plan_.workloads) {
      for (const Spec& model : plan_.models) {
        if (!plan_.includes(model, workload)) continue;
        Cell cell;
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

  void calibrate_block(int block) {
    for (const Spec& workload : plan_.workloads) {
      const std::string name = workload.to_string();
      const bool needed = std::any_of(cells_.begin(), cells_.end(), [&](const Cell& cell) {
        return cell.summary.model.name != "oracle" && cell.summary.workload.to_string() == name;
      });
      if (!needed || stopped()) continue;
      const std::string key = fmt::format("{} | b{}", name, block);
      auto found = host_.find_calibration(key);
      if (!found) {
        try {
          found = CalibrationRecord{key, name, block, host_.calibrate(workload, plan_.model_cpus)};
        } catch (const Interrupted&) {
          cut_short_ = true;
          return;
        } catch (const Unavailable& missing) {
          // Without a first S there is nothing to hold the cells against; later ones only follow
          // the drift. Without its CPUs this is another machine.
          const bool gone = dynamic_cast<const CpusGone*>(&missing) != nullptr;
          for (Cell& cell : cells_) {
            if (cell.summary.workload.to_string() != name) continue;
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
      for (Cell& cell : cells_) fix_reference(cell);
    }
  }

  /// S_ref, the SLO and the windows are fixed once for the whole run.
  void fix_reference(Cell& cell) {
    CellSummary& summary = cell.summary;
    const auto reference = reference_service(summary.model, summary.workload, result_.service);
    if (!reference) return;
    cell.cell_plan = plan_cell(plan_, summary.model, summary.workload, *reference);
    summary.service_time_ns = cell.cell_plan.service.mean_ns;
    summary.slo_ns = cell.cell_plan.slo_ns;
    summary.options.twin = cell.cell_plan.search.twin;
    cell.search.emplace(cell.cell_plan.search);
  }

  void run_cell(Cell& cell, int block) {
    ++progress_.cell;
    progress_.series = cell.summary.model.to_string();
    progress_.workload = cell.summary.workload.to_string();
    const int before = cell.summary.trials, invalid_before = cell.summary.invalid;
    if (!cell.summary.failure.empty() || !cell.search) return;
    const CellMeasurement measurement = {
        .measure = [&](const Probe& probe) { return measure(cell, probe, block); },
        .proceed = [&] { return !stopped() && cell.summary.failure.empty(); }};
    std::vector<Point>& evidence = cell.summary.evidence;
    try {
      if (block == 0 && !search_cell(*cell.search, measurement, evidence)) return;
      const Time searched = Io::now();
      if (!measure_block(*cell.search, block, measurement, evidence)) return;
      // What the first block takes without its search is what the next one will take.
      if (block == 0) block_took_ += Io::now() - searched;
    } catch (const Unavailable& missing) {
      fail(cell, missing.what());
    } catch (const Interrupted&) {
      cut_short_ = true;
      return;
    }
    const int trials = cell.summary.trials - before,
              invalid = cell.summary.invalid - invalid_before;
    host_.cell_finished(progress_, cell.summary.failure.empty()
                                       ? fmt::format("{} trials, {} invalid", trials, invalid)
                                       : cell.summary.failure);
  }

  /// Repeats an invalid trial; the last attempt stands for the point, used or not.
  Point measure(Cell& cell, const Probe& probe, int block) {
    CellSummary& summary = cell.summary;
    progress_.phase = probe.phase;
    progress_.rate_per_s = probe.rate_per_s;
    progress_.closed = probe.closed;
    int limited = 0;
    for (int attempt = 1;; ++attempt) {
      report_progress();
      const std::string key =
          fmt::format("{} | {} | {} | b{} | {} | a{}", summary.model.to_string(),
                      summary.workload.to_string(), to_string(probe.phase), block,
                      probe.closed > 0 ? fmt::format("N{}", probe.closed)
                                       : fmt::format("{:.6g}/s", probe.rate_per_s),
                      attempt);
      auto record = host_.find(key);
      if (!record) {
        record.emplace();
        record->key = key;
        record->series = summary.model.to_string();
        record->workload = summary.workload.to_string();
        record->phase = probe.phase;
        record->block = block;
        record->attempt = attempt;
        record->slo_ns = summary.slo_ns;
        try {
          record->trial = host_.measure(
              request_for(plan_, cell.cell_plan, probe, block, cell.search->plateau_per_s()));
        } catch (const CpusGone&) {
          throw;  // no limit of this load: the machine is another one now
        } catch (const Unavailable& missing) {
          if (!has_valid_point(summary.evidence)) throw;
          summary.lacking = true;
          summary.note = missing.what();
          return beyond_reach(probe, block);
        } catch (const UsageError& wrong) {
          // A rate or a window past what one trial can hold, which only the search could know.
          if (!has_valid_point(summary.evidence)) throw;
          summary.note = wrong.what();
          return beyond_reach(probe, block);
        }
        record->used = record->trial.valid;
        record->generator_limited = cannot_offer(record->trial);
        host_.keep(*record);
      }
      last_ = record->trial;
      const bool throttled = met_quota(record->trial);
      if (record->generator_limited || throttled) ++limited;
      // Once may have been a stall that only the generator met; a limit shows again at once. A
      // quota that has shown itself in this cell is there for all of its rates.
      const bool limit_shown =
          limited > std::min(1, plan_.repeats) || (throttled && cell.quota_shown);
      cell.quota_shown = cell.quota_shown || (throttled && limit_shown);
      const bool final_attempt = record->used || last_.model_fault || limit_shown ||
                                 cannot_be_repeated(last_) || attempt > plan_.repeats;
      Point point = point_of(*record);
      point.generator_limited = limit_shown;
      count_trial(summary, std::move(*record));
      if (final_attempt || stopped()) return point;
    }
  }

  void report_progress() {
    progress_.elapsed_s = seconds(Io::now() - begun_);
    const double done = progress_.cell - 1, all = progress_.cells;
    progress_.left_s = done > 0 ? progress_.elapsed_s / done * (all - done) : 0;
    progress_.last = last_.request.model.name.empty() ? nullptr : &last_;
    host_.progress(progress_);
  }

  const Plan& plan_;
  CampaignHost& host_;
  const Time begun_;
  Nanos block_took_{0};  ///< the last one, the search left out
  std::vector<Cell> cells_;
  CampaignResult result_;
  bool cut_short_ = false;
  CampaignHost::Progress progress_;
  Trial last_;
};

}  // namespace

CampaignResult run_campaign(const Plan& plan, CampaignHost& host) {
  return Campaign(plan, host).run();
}

}  // namespace precipice
