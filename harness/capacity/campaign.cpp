#include "harness/capacity/campaign.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "harness/capacity/cell_evidence.hpp"
#include "harness/capacity/cell_plan.hpp"
#include "harness/capacity/cell_search.hpp"
#include "harness/capacity/cliff.hpp"
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

/// A probe that was measured.
struct Asked {
  std::string key;  ///< of its records, without the attempt
  Probe probe;
  int block = 0;
  int attempts = 0;
  Point point;              ///< of the last attempt
  bool repeatable = false;  ///< invalid, and a repetition may be valid
};

struct Cell {
  CellSummary summary;
  CellPlan cell_plan;
  std::optional<Search> search;
  std::vector<Asked> asked;  ///< in the order of their first attempts
  bool known = false;        ///< to the plan's precision: no further block
  bool quota_shown = false;  ///< a CPU quota throttled a trial and its repetition
  bool steered = false;      ///< disturbed points steer its search: see CellMeasurement
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
    for (Cell& cell : cells_) take_kept_attempts(cell);
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

  /// Every cell's cliff and saturation known to within plan.precision, either way. A cell that is
  /// gets no further block: the time goes to those that are not. That depends on the widths of the
  /// intervals and not on what they say.
  bool precise_enough(int block) {
    // Fewer blocks show their own scatter too badly for an interval to be a reason to stop; twins
    // show it in every trial.
    constexpr int kLeastBlocks = 5, kLeastOfSaturation = 4, kLeastWithTwins = 3;
    if (plan_.precision <= 0 || block < kLeastWithTwins) return false;
    const auto precise = [&](const Estimate& estimate) {
      return estimate.reached == Reached::ok &&
             (estimate.high - estimate.low) / 2 <= plan_.precision * estimate.value;
    };
    bool all = true;
    for (Cell& cell : cells_) {
      if (cell.known || !cell.summary.failure.empty() || !cell.search) continue;
      CellSummary summary = cell.summary;
      estimate_figures(plan_, summary);
      const CellResult& result = summary.result;
      const int fewer = result.twin_weight > 0 ? kLeastBlocks - kLeastWithTwins : 0;
      if (block >= kLeastOfSaturation - fewer && precise(result.saturation)) cell.search->settle();
      // What could not be offered, or met by nothing, no further block will show.
      cell.known =
          block >= kLeastBlocks - fewer &&
          (!cell.search->bracketed() || (precise(result.cliff) && precise(result.saturation)));
      all = all && cell.known;
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

  CellMeasurement measurement_of(Cell& cell, int block) {
    return {.measure = [this, &cell, block](const Probe& p) { return measure(cell, p, block); },
            .proceed = [this, &cell] { return !stopped() && cell.summary.failure.empty(); },
            .steer_by_disturbed = cell.steered};
  }

  /// What a cell does, with the ends that every part of it has.
  template <class Work>
  void guarded(Cell& cell, Work work) {
    try {
      work();
    } catch (const Unavailable& missing) {
      fail(cell, missing.what());
    } catch (const Interrupted&) {
      cut_short_ = true;
    }
  }

  void run_cell(Cell& cell, int block) {
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
      // What the first block takes without its search is what the next one will take.
      if (whole && block == 0) block_took_ += Io::now() - searched;
    });
    if (!whole || cut_short_) return;
    const int trials = cell.summary.trials - before,
              invalid = cell.summary.invalid - invalid_before;
    host_.cell_finished(progress_, cell.summary.failure.empty()
                                       ? fmt::format("{} trials, {} invalid", trials, invalid)
                                       : cell.summary.failure);
  }

  void show(const Cell& cell) {
    progress_.series = cell.summary.model.to_string();
    progress_.workload = cell.summary.workload.to_string();
  }

  /// Where no valid trial shows a rate to measure at, the search begins again with disturbed trials
  /// for its guide: they are enough to know where to measure, and the cell's blocks then have a
  /// chance of valid ones.
  bool search_for_cliff(Cell& cell) {
    const std::vector<Point>& evidence = cell.summary.evidence;
    if (!search_cell(*cell.search, measurement_of(cell, 0), cell.summary.evidence)) return false;
    const bool disturbed = std::any_of(evidence.begin(), evidence.end(),
                                       [](const Point& point) { return point.disturbed; });
    if (cell.search->coarse_rate_per_s() > 0 || !disturbed) return true;
    return search_again(cell);
  }

  /// From the beginning; what was measured before is not measured again.
  bool search_again(Cell& cell) {
    cell.steered = true;
    cell.search.emplace(cell.cell_plan.search);
    std::vector<Point> path;
    const bool whole = search_cell(*cell.search, measurement_of(cell, 0), path);
    gather_evidence(cell);
    return whole;
  }

  /// One point a probe, as a reader of the journal has it.
  static void gather_evidence(Cell& cell) {
    cell.summary.evidence.clear();
    for (const Asked& asked : cell.asked) cell.summary.evidence.push_back(asked.point);
  }

  bool without_figure(const Cell& cell) const {
    if (!cell.summary.failure.empty() || !cell.search || cell.summary.lacking) return false;
    CliffOptions options = cliff_options(plan_, cell.summary);
    options.bootstrap = 10;  // no interval is looked at
    const CellResult result = analyse(cell.summary.evidence, options);
    return result.cliff.reached == Reached::unmeasured ||
           result.saturation.reached == Reached::unmeasured;
  }

  bool budget_left() {
    if (plan_.budget.count() <= 0 || Io::now() - begun_ < plan_.budget) return true;
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
      for (Cell& cell : cells_) {
        if (stopped() || !without_figure(cell)) continue;
        if (!budget_left()) return;
        gained = retry(cell) || gained;
      }
    }
  }

  /// Attempts that an earlier start of the run made at its end, and this one had no reason to make:
  /// a reader of the journal counts them.
  void take_kept_attempts(Cell& cell) {
    bool taken = false;
    for (Asked& asked : cell.asked) {
      while (asked.repeatable && host_.find(key_of(asked, asked.attempts + 1))) {
        attempt(cell, asked, 1);
        taken = true;
      }
    }
    if (taken) gather_evidence(cell);
  }

  /// Its invalid probes once more, those of the cliff first. True when one became valid.
  bool retry(Cell& cell) {
    constexpr int kHopeless = 3;  // invalid in a row: what disturbs is still there
    show(cell);
    std::vector<std::size_t> invalid;
    for (std::size_t i = 0; i < cell.asked.size(); ++i) {
      if (cell.asked[i].repeatable) invalid.push_back(i);
    }
    if (invalid.empty()) return false;
    std::stable_partition(invalid.begin(), invalid.end(), [&](std::size_t i) {
      return cell.asked[i].probe.phase == Phase::refine;
    });
    int in_a_row = 0, gained = 0;
    guarded(cell, [&] {
      for (const std::size_t i : invalid) {
        if (stopped() || in_a_row >= kHopeless || !budget_left()) break;
        attempt(cell, cell.asked[i], plan_.repeats + 1);
        const bool valid = cell.asked[i].point.valid;
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

  static std::string key_of(const Asked& asked, int attempt) {
    return fmt::format("{} | a{}", asked.key, attempt);
  }

  Asked& asked_of(Cell& cell, const Probe& probe, int block) {
    const CellSummary& summary = cell.summary;
    const std::string key =
        fmt::format("{} | {} | {} | b{} | {}", summary.model.to_string(),
                    summary.workload.to_string(), to_string(probe.phase), block,
                    probe.closed > 0 ? fmt::format("N{}", probe.closed)
                                     : fmt::format("{:.6g}/s", probe.rate_per_s));
    for (Asked& each : cell.asked) {
      if (each.key == key) return each;
    }
    Asked& asked = cell.asked.emplace_back();
    asked.key = key;
    asked.probe = probe;
    asked.block = block;
    return asked;
  }

  Point measure(Cell& cell, const Probe& probe, int block) {
    Asked& asked = asked_of(cell, probe, block);
    if (asked.attempts > 0 && cell.steered) return asked.point;
    asked.attempts = 0;
    // Where disturbed trials are the guide, the repetitions are left to the end of the run.
    attempt(cell, asked, cell.steered ? 1 : plan_.repeats + 1);
    return asked.point;
  }

  /// Measures a probe until it is valid or nothing more may be expected, `most` times at most; the
  /// last attempt stands for the point, used or not.
  void attempt(Cell& cell, Asked& asked, int most) {
    CellSummary& summary = cell.summary;
    const Probe& probe = asked.probe;
    progress_.phase = probe.phase;
    progress_.rate_per_s = probe.rate_per_s;
    progress_.closed = probe.closed;
    asked.repeatable = false;
    int limited = 0;
    for (int attempt = 1;; ++attempt) {
      report_progress();
      const std::string key = key_of(asked, asked.attempts + 1);
      auto record = host_.find(key);
      if (!record) {
        record.emplace();
        record->key = key;
        record->series = summary.model.to_string();
        record->workload = summary.workload.to_string();
        record->phase = probe.phase;
        record->block = asked.block;
        record->attempt = asked.attempts + 1;
        record->slo_ns = summary.slo_ns;
        try {
          record->trial = host_.measure(
              request_for(plan_, cell.cell_plan, probe, asked.block, cell.search->plateau_per_s()));
        } catch (const CpusGone&) {
          throw;  // no limit of this load: the machine is another one now
        } catch (const Unavailable& missing) {
          if (!has_valid_point(summary.evidence) && !cell.steered) throw;
          summary.lacking = true;
          summary.note = missing.what();
          asked.point = beyond_reach(probe, asked.block);
          return;
        } catch (const UsageError& wrong) {
          // A rate or a window past what one trial can hold, which only the search could know.
          if (!has_valid_point(summary.evidence) && !cell.steered) throw;
          summary.note = wrong.what();
          asked.point = beyond_reach(probe, asked.block);
          return;
        }
        record->used = record->trial.valid;
        record->generator_limited = cannot_offer(record->trial);
        host_.keep(*record);
      }
      ++asked.attempts;
      last_ = record->trial;
      const bool throttled = met_quota(record->trial);
      if (record->generator_limited || throttled) ++limited;
      // Once may have been a stall that only the generator met; a limit shows again at once. A
      // quota that has shown itself in this cell is there for all of its rates.
      const bool limit_shown =
          limited > std::min(1, plan_.repeats) || (throttled && cell.quota_shown);
      cell.quota_shown = cell.quota_shown || (throttled && limit_shown);
      const bool final_attempt = record->used || last_.model_fault || limit_shown ||
                                 cannot_be_repeated(last_) || attempt >= most;
      asked.point = point_of(*record);
      asked.point.generator_limited = limit_shown;
      asked.repeatable =
          !record->used && !last_.model_fault && !limit_shown && !cannot_be_repeated(last_);
      count_trial(summary, std::move(*record));
      if (final_attempt || stopped()) return;
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
