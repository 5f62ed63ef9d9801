#include "harness/capacity/probe_attempts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "harness/capacity/cell_evidence.hpp"
#include "harness/capacity/cell_search.hpp"
#include "harness/capacity/record.hpp"
#include "harness/capacity/target_limit.hpp"
#include "harness/trial/failed_gates.hpp"
#include "models/model.hpp"

namespace precipice {

std::string MeasuredProbe::key_of(int attempt) const {
  return fmt::format("{} | a{}", key, attempt);
}

std::string ProbeAttempts::key_of(const CampaignCell& cell, const Probe& probe, int block) {
  const CellSummary& summary = cell.summary;
  return fmt::format("{} | {} | {} | b{} | {}", summary.model.to_string(),
                     summary.workload.to_string(), to_string(probe.phase), block,
                     probe.closed > 0 ? fmt::format("N{}", probe.closed)
                                      : fmt::format("{:.6g}/s", probe.rate_per_s));
}

MeasuredProbe& ProbeAttempts::probe_of(CampaignCell& cell, const Probe& probe, int block) {
  const std::string key = key_of(cell, probe, block);
  for (MeasuredProbe& each : cell.probes) {
    if (each.key == key) return each;
  }
  MeasuredProbe& measured = cell.probes.emplace_back();
  measured.key = key;
  measured.probe = probe;
  measured.block = block;
  return measured;
}

bool ProbeAttempts::begun(const CampaignCell& cell, const std::vector<Probe>& probes, int block) {
  return std::any_of(probes.begin(), probes.end(), [&](const Probe& probe) {
    MeasuredProbe first;
    first.key = key_of(cell, probe, block);
    return host_.find(first.key_of(1)).has_value();
  });
}

Point ProbeAttempts::measure(CampaignCell& cell, const Probe& probe, int block) {
  MeasuredProbe& measured = probe_of(cell, probe, block);
  if (measured.attempts > 0 && cell.steered) return measured.point;
  measured.attempts = 0;
  // Where disturbed trials are the guide, the repetitions are left to the end of the run.
  attempt(cell, measured, cell.steered ? 1 : plan_.repeats + 1);
  return measured.point;
}

void ProbeAttempts::attempt(CampaignCell& cell, MeasuredProbe& measured, int most) {
  CellSummary& summary = cell.summary;
  const Probe& probe = measured.probe;
  measured.repeatable = false;
  int limited = 0;
  for (int attempt = 1;; ++attempt) {
    report_progress(probe);
    const std::string key = measured.key_of(measured.attempts + 1);
    auto record = host_.find(key);
    if (!record) {
      record.emplace();
      record->key = key;
      record->series = summary.model.to_string();
      record->workload = summary.workload.to_string();
      record->phase = probe.phase;
      record->block = measured.block;
      record->attempt = measured.attempts + 1;
      record->slo_ns = summary.slo_ns;
      try {
        record->trial = host_.measure(request_for(plan_, cell.cell_plan, probe, measured.block,
                                                  cell.search->plateau_per_s()));
      } catch (const CpusGone&) {
        throw;  // no limit of this load: the machine is another one now
      } catch (const Unavailable& missing) {
        if (!has_valid_point(summary.evidence) && !cell.steered) throw;
        summary.lacking = true;
        summary.note = missing.what();
        measured.point = beyond_reach(probe, measured.block);
        return;
      } catch (const UsageError& wrong) {
        // A rate or a window past what one trial can hold, which only the search could know.
        if (!has_valid_point(summary.evidence) && !cell.steered) throw;
        summary.note = wrong.what();
        measured.point = beyond_reach(probe, measured.block);
        return;
      }
      refuse_if_bound_by_connections(summary.evidence, record->trial);
      record->used = record->trial.valid;
      record->generator_limited = cannot_offer(record->trial);
      host_.keep(*record);
    }
    ++measured.attempts;
    last_ = record->trial;
    const bool throttled = met_quota(record->trial);
    if (record->generator_limited || throttled) ++limited;
    // Once may have been a stall that only the generator met; a limit shows again at once. A quota
    // that has shown itself in this cell is there for all of its rates.
    const bool limit_shown =
        limited > std::min(1, plan_.repeats) || (throttled && cell.quota_shown);
    cell.quota_shown = cell.quota_shown || (throttled && limit_shown);
    const bool final_attempt = record->used || last_.model_fault || limit_shown ||
                               cannot_be_repeated(last_) || attempt >= most;
    measured.point = point_of(*record);
    measured.point.generator_limited = limit_shown;
    measured.repeatable =
        !record->used && !last_.model_fault && !limit_shown && !cannot_be_repeated(last_);
    count_trial(summary, std::move(*record));
    if (final_attempt || host_.stop_requested()) return;
  }
}

void ProbeAttempts::report_progress(const Probe& probe) {
  progress_.phase = probe.phase;
  progress_.rate_per_s = probe.rate_per_s;
  progress_.closed = probe.closed;
  progress_.elapsed_s = std::chrono::duration<double>(elapsed()).count();
  const double done = progress_.cell - 1, all = progress_.cells;
  progress_.left_s = done > 0 ? progress_.elapsed_s / done * (all - done) : 0;
  progress_.last = last_.request.model.name.empty() ? nullptr : &last_;
  host_.progress(progress_);
}

}  // namespace precipice
