#include "harness/campaign.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "harness/interrupt.hpp"
#include "harness/service_level.hpp"
#include "harness/statistics.hpp"
#include "models/distribution.hpp"
#include "models/model.hpp"
#include "models/random.hpp"
#include "workloads/workload.hpp"

namespace precipice {
namespace {

double seconds(Nanos duration) { return std::chrono::duration<double>(duration).count(); }

struct Cell {
  CellSummary summary;
  Calibration service;
  Nanos warmup{0}, window{0}, coarse_window{0};
  std::optional<Search> search;
  std::vector<Point> points;
};

/// The order of everything; one object per run.
class Campaign {
 public:
  Campaign(const Plan& plan, CampaignHost& host) : plan_(plan), host_(host), begun_(Io::now()) {}

  CampaignResult run() {
    set_up();
    for (int block = 0; block < plan_.blocks && !stopped(); ++block) {
      if (out_of_budget(block)) break;
      calibrate_block(block);
      for (const std::size_t index : shuffled(block)) {
        if (stopped() || out_of_budget(block)) break;
        run_cell(cells_[index], block);
      }
      if (!stopped() && !result_.out_of_budget) ++result_.blocks_done;
    }
    result_.interrupted = stopped();
    for (Cell& cell : cells_) result_.cells.push_back(conclude(cell));
    return std::move(result_);
  }

 private:
  /// The first block is always finished: without it there is no result at all.
  bool out_of_budget(int block) {
    const bool spent = block > 0 && plan_.budget.count() > 0 && Io::now() - begun_ > plan_.budget;
    result_.out_of_budget = result_.out_of_budget || spent;
    return spent;
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
          // the drift.
          for (Cell& cell : cells_) {
            if (cell.summary.workload.to_string() != name) continue;
            if (block == 0) {
              fail(cell, missing.what());
            } else {
              cell.summary.note = missing.what();
            }
          }
          continue;
        }
        host_.keep(*found);
      }
      service_by_block_[name][block] = found->calibration;
      if (block == 0) result_.service[name] = found->calibration;
    }
    if (block == 0) {
      for (Cell& cell : cells_) fix_reference(cell);
    }
  }

  /// S_ref, the SLO and the windows are fixed once for the whole run.
  void fix_reference(Cell& cell) {
    CellSummary& summary = cell.summary;
    if (summary.model.name == "oracle") {
      const ModelInfo& info = model_named("oracle");
      const Options options(info.name, info.options, summary.model.given);
      cell.service.mean_ns = cell.service.p99_ns =
          static_cast<double>(options.duration("mean").count());
      cell.service.valid = true;
    } else {
      const auto found = result_.service.find(summary.workload.to_string());
      if (found == result_.service.end()) return;
      cell.service = found->second;
    }
    summary.service_time_ns = cell.service.mean_ns;
    summary.slo_ns = resolve_slo_ns(plan_.slo_of(summary.workload), summary.model, summary.workload,
                                    cell.service);
    cell.warmup = resolve_warmup(plan_, cell.service.mean_ns);
    cell.window = plan_.window;
    cell.coarse_window = plan_.coarse_window;
    if (plan_.clock == ClockKind::virtual_time && plan_.virtual_requests > 0) {
      const auto servers = summary.model.given.find("servers");
      const double count = servers == summary.model.given.end() ? 1 : std::stod(servers->second);
      // A tail estimate scatters with the variance of the service, so that gets more requests.
      const auto dist = summary.model.given.find("service");
      const double scv = dist == summary.model.given.end()
                             ? 0
                             : Distribution::parse(dist->second, "oracle: service").scv();
      const double requests =
          static_cast<double>(plan_.virtual_requests) * std::clamp(1 + scv, 1.0, 4.0);
      cell.window = Nanos(static_cast<std::int64_t>(requests * cell.service.mean_ns / count));
      cell.coarse_window = cell.window / 4;
    }
    SearchOptions options;
    // Free there: they bracket the looser cliffs of a queue whose own is far below its plateau.
    if (plan_.clock == ClockKind::virtual_time) options.towards_plateau = {0.8, 0.92, 0.97, 0.99};
    options.slo_ns = summary.slo_ns;
    options.refine = plan_.refine;
    options.overload = plan_.overload;
    options.grid = plan_.grid;
    options.seed = plan_.seed;
    // Work that waits is far from its plateau with a handful in flight; the doubling starts where
    // it can matter.
    const bool waits = summary.workload.name != "empty" && !only_computes(summary.workload);
    options.first_closed = waits ? 64 : std::max<std::size_t>(1, plan_.model_cpus.size());
    options.highest_closed = highest_closed(cell);
    options.first_closed = std::min(options.first_closed, options.highest_closed);
    cell.search.emplace(options);
  }

  /// A loop of N settles within a few times N / throughput. Where that is longer than the window,
  /// it would show how the model orders its work (halves of requests done in the warm-up and
  /// finished in the window) instead of what it carries; so N stays below what the CPUs can turn
  /// over in half a window.
  std::uint64_t highest_closed(const Cell& cell) const {
    constexpr double kMost = 1U << 18;
    double most = kMost;
    if (cell.summary.model.name != "oracle") {
      const WorkloadInfo& info = workload_named(cell.summary.workload.name);
      const auto work = info.make(Options(info.name, info.options, cell.summary.workload.given));
      const double cpu_s = seconds(work->nominal_cpu());
      const auto cpus = static_cast<double>(std::max<std::size_t>(1, plan_.model_cpus.size()));
      if (cpu_s > 0) most = std::min(most, 0.5 * seconds(cell.coarse_window) * cpus / cpu_s);
      most = std::max(most, 4 * cpus);
    }
    return static_cast<std::uint64_t>(most);
  }

  void run_cell(Cell& cell, int block) {
    ++progress_.cell;
    progress_.series = cell.summary.model.to_string();
    progress_.workload = cell.summary.workload.to_string();
    const int before = cell.summary.trials, invalid_before = cell.summary.invalid;
    if (!cell.summary.failure.empty() || !cell.search) return;
    try {
      if (block == 0) {
        while (const auto probe = cell.search->next()) {
          const Point point = measure(cell, *probe, block);
          cell.search->add(point);
          cell.points.push_back(point);
          if (stopped() || !cell.summary.failure.empty()) return;
        }
      }
      for (const Probe& probe : cell.search->block(block)) {
        if (stopped() || !cell.summary.failure.empty()) return;
        cell.points.push_back(measure(cell, probe, block));
      }
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

  TrialRequest request_for(const Cell& cell, const Probe& probe, int block) const {
    const bool coarse = probe.phase == Phase::plateau || probe.phase == Phase::coarse;
    TrialRequest request;
    request.model = cell.summary.model;
    request.workload = cell.summary.workload;
    request.rate_per_s = probe.rate_per_s;
    request.closed = probe.closed;
    request.window = coarse ? cell.coarse_window : cell.window;
    request.warmup = cell.warmup;
    request.drain =
        plan_.clock == ClockKind::virtual_time ? std::max(plan_.drain, cell.window) : plan_.drain;
    // All models and rates of a block replay one sequence.
    request.seed = mix64(plan_.seed + 0x9e37 * (static_cast<std::uint64_t>(block) + 1));
    request.arrivals = plan_.arrivals;
    request.slo = Nanos(static_cast<std::int64_t>(cell.summary.slo_ns));
    request.slo_percentile = cell.summary.slo_percentile;
    request.generator_cpus = plan_.generator_cpus;
    request.model_cpus = plan_.model_cpus;
    request.clock = plan_.clock;
    return request;
  }

  /// Repeats an invalid trial; the last attempt stands for the point, used or not.
  Point measure(Cell& cell, const Probe& probe, int block) {
    CellSummary& summary = cell.summary;
    progress_.phase = probe.phase;
    progress_.rate_per_s = probe.rate_per_s;
    progress_.closed = probe.closed;
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
          record->trial = host_.measure(request_for(cell, probe, block));
        } catch (const Unavailable& missing) {
          if (!has_valid_point(cell)) throw;
          return beyond_reach(cell, probe, block, missing.what());
        } catch (const UsageError& wrong) {
          // A rate or a window past what one trial can hold, which only the search could know.
          if (!has_valid_point(cell)) throw;
          return beyond_reach(cell, probe, block, wrong.what());
        }
        record->used = record->trial.valid;
        record->generator_limited = cannot_offer(record->trial);
        host_.keep(*record);
      }
      const Trial& trial = record->trial;
      last_ = std::move(record->trial);
      record->trial = last_;
      ++summary.trials;
      if (!record->used) {
        ++summary.invalid;
        std::set<std::string> causes;
        for (const InvalidReason& reason : trial.invalid_reasons) causes.insert(reason.cause);
        for (const std::string& cause : causes) ++summary.invalid_causes[cause];
      }
      if (trial.model_fault) {
        summary.failure =
            trial.invalid_reasons.empty() ? "model fault" : trial.invalid_reasons.front().text;
      }
      if (!trial.note.empty()) summary.note = trial.note;
      const bool final_attempt =
          record->used || trial.model_fault || record->generator_limited || attempt > plan_.repeats;
      const Point point = point_of(*record, probe, block);
      record->trial.slices.clear();
      record->trial.response_histogram = Histogram();
      summary.points.push_back(std::move(*record));
      if (final_attempt || stopped()) return point;
    }
  }

  static bool has_valid_point(const Cell& cell) {
    return std::any_of(cell.points.begin(), cell.points.end(),
                       [](const Point& point) { return point.valid; });
  }

  /// It ran at other loads, so this one is beyond what this machine can set up: descriptors, ports,
  /// memory.
  static Point beyond_reach(Cell& cell, const Probe& probe, int block, const std::string& why) {
    cell.summary.note = why;
    Point point;
    point.phase = probe.phase;
    point.block = block;
    point.closed = probe.closed;
    point.rate_per_s = probe.rate_per_s;
    point.generator_limited = true;
    return point;
  }

  /// The rate itself is too high for the generator, as against a hiccup on the way, which may pass.
  static bool cannot_offer(const Trial& trial) {
    bool unsent = false, off = false, late = false;
    for (const InvalidReason& reason : trial.invalid_reasons) {
      if (reason.cause != "generator") return false;
      unsent = unsent || reason.gate == "unsent";
      off = off || reason.gate == "realised_rate";
      late = late || reason.gate == "self_lag";  // of more than 1% of the requests
    }
    return unsent || (off && late);
  }

  static Point point_of(const Record& record, const Probe& probe, int block) {
    const Trial& trial = record.trial;
    Point point;
    point.phase = probe.phase;
    point.block = block;
    point.closed = probe.closed;
    point.rate_per_s = probe.rate_per_s;
    point.offered_per_s = trial.offered_per_s;
    point.goodput_per_s = trial.goodput_per_s;
    point.slo_percentile_ns = static_cast<double>(trial.slo_percentile_ns);
    point.mean_response_ns = trial.response.mean;
    point.loss = trial.loss();
    point.requests = trial.counts.scheduled;
    point.stable = trial.stable;
    point.valid = record.used;
    point.generator_limited = record.generator_limited;
    point.responses = std::make_shared<const Histogram>(trial.response_histogram);
    return point;
  }

  void report_progress() {
    progress_.elapsed_s = seconds(Io::now() - begun_);
    const double done = progress_.cell - 1, all = progress_.cells;
    progress_.left_s = done > 0 ? progress_.elapsed_s / done * (all - done) : 0;
    progress_.last = last_.request.model.name.empty() ? nullptr : &last_;
    host_.progress(progress_);
  }

  CellSummary conclude(Cell& cell) const {
    CellSummary summary = std::move(cell.summary);
    if (!summary.failure.empty() || !cell.search) return summary;
    CliffOptions options;
    options.slo_ns = summary.slo_ns;
    options.slo_percentile = summary.slo_percentile;
    options.window_s = seconds(cell.window);
    options.seed = plan_.seed;
    summary.result = analyse(cell.points, options);
    if (const auto ideal = ideal_of(plan_, summary.model, summary.workload, summary.service_time_ns,
                                    summary.slo_ns)) {
      summary.ideal_saturation_per_s = ideal->saturation_per_s;
      summary.ideal_cliff_per_s = ideal->cliff_per_s;
      compare_with_ideal(cell, summary);
    }
    std::vector<double> cpu;
    for (const Record& record : summary.points) {
      if (record.used && record.trial.stable && record.trial.request.closed == 0 &&
          record.trial.request.rate_per_s >= summary.result.cliff.value / 2) {
        cpu.push_back(record.trial.cpu_model_ns);
      }
    }
    summary.cpu_ns_per_request = median(cpu);
    return summary;
  }

  /// S at the time of a block as a multiple of S_ref: the drift that both sides of a ratio share.
  double drift(const CellSummary& summary, int block) const {
    const auto found = service_by_block_.find(summary.workload.to_string());
    if (summary.model.name == "oracle" || found == service_by_block_.end()) return 1;
    const auto own = found->second.find(block);
    return own == found->second.end() ? 1 : own->second.mean_ns / summary.service_time_ns;
  }

  /// Each block against its own S: what repeats on a machine whose speed drifts.
  void compare_with_ideal(const Cell& cell, CellSummary& summary) const {
    std::vector<Point> relative;
    for (Point point : cell.points) {
      point.goodput_per_s *= drift(summary, point.block) / summary.ideal_saturation_per_s;
      relative.push_back(std::move(point));
    }
    CliffOptions options;
    options.slo_ns = summary.slo_ns;
    options.slo_percentile = summary.slo_percentile;
    options.window_s = seconds(cell.window);
    options.seed = plan_.seed;
    summary.saturation_of_ideal = analyse(relative, options).saturation;
    if (summary.ideal_cliff_per_s > 0) {
      double mean_drift = 0;
      for (int block = 0; block < std::max(1, result_.blocks_done); ++block) {
        mean_drift += drift(summary, block) / std::max(1, result_.blocks_done);
      }
      const Estimate& cliff = summary.result.cliff;
      const double scale = mean_drift / summary.ideal_cliff_per_s;
      summary.cliff_of_ideal = cliff;
      summary.cliff_of_ideal.value *= scale;
      summary.cliff_of_ideal.low *= scale;
      summary.cliff_of_ideal.high *= scale;
    }
  }

  const Plan& plan_;
  CampaignHost& host_;
  const Time begun_;
  std::vector<Cell> cells_;
  std::map<std::string, std::map<int, Calibration>> service_by_block_;
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
