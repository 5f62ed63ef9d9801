// The directory of a run, results/SUITE/TIME-GITSHA/: the append-only journal from which
// everything else is made, and which an interrupted run continues from.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/record.hpp"
#include "harness/host/build_info.hpp"
#include "harness/json.hpp"
#include "harness/store/crash_marker.hpp"
#include "harness/store/journal_index.hpp"
#include "models/options.hpp"

namespace precipice {

/// What a run is, for its manifest and for recognising it again.
struct RunIdentity {
  std::string suite;       ///< name
  std::string suite_hash;  ///< of plan_hash
  std::string suite_toml;  ///< as resolved
  std::uint64_t seed = 0;
  std::string git_sha;      ///< short; part of the directory's name
  std::string binary_hash;  ///< an unfinished run of another binary is not continued
  std::vector<std::string> argv;
  /// What else decides its trials, as (what it is, its value): an unfinished run that was begun
  /// with another value is not continued.
  std::vector<std::pair<std::string, std::string>> circumstances{};
  /// The text of the trace that the suite's arrivals are from, for the run's directory; or "".
  std::string trace{};
};

/// Not thread-safe. Everything that writes throws CannotWrite; what is in the journal stays intact.
class Store {
 public:
  /// Continues the newest run of this identity under `root`/SUITE if it is unfinished, else begins
  /// a new one (always with `fresh`). Runs of other plans, other builds and other circumstances are
  /// passed over; older ones of its own were left behind when the newest was begun. What processes
  /// that were killed have left half-made is removed. Throws UsageError, naming it, when the run to
  /// continue is damaged in the middle or of another schema.
  static std::unique_ptr<Store> open(const std::string& root, const RunIdentity& identity,
                                     bool fresh);

  const std::string& directory() const { return directory_; }
  /// Trials found in the journal of the run that is being continued; 0 for a new one.
  std::size_t recovered() const { return journal_->trials(); }
  /// What a user should know of how it was opened (a torn line cut, another build's run left, a
  /// trial that killed the last start), or "".
  const std::string& remark() const { return remark_; }

  std::optional<Record> find(const std::string& key) const;
  std::optional<CalibrationRecord> find_calibration(const std::string& key) const;
  /// Appends one line, on disk when it returns. A key that is there already is not written again.
  void keep(const Record& record);
  void keep(const CalibrationRecord& record);

  /// Notes that what this key names is about to be measured, for the next start in case this one
  /// dies of it; keep() ends that. Not "": why it is given up, because several starts have.
  std::string begin(const std::string& key) { return under_way_->begin(key); }
  /// It was not kept, and the process lives.
  void abandon() { under_way_->end(); }

  /// The calibration of CPU work that this run's trials use: what the manifest has, else
  /// `measured`, which is then kept there, so that a continued run does the same work.
  double cpu_iterations_per_us(double measured);
  /// `which` is "before" or "after". "before" is kept from the first start of a continued run.
  void environment(const std::string& which, const Json& environment);
  /// What is kept as "before"; null where it cannot be read.
  Json environment_before() const;
  /// points.csv from the journal, summary.json and summary.csv, and last the manifest.
  void finish(const CampaignResult& result);

 private:
  explicit Store(std::string directory);
  static std::unique_ptr<Store> continued(const std::string& directory);
  static std::unique_ptr<Store> begun(const std::string& parent, const RunIdentity& identity);
  UsageError not_a_record(const std::string& key, const char* why) const;
  void add_remark(const std::string& text);
  void write_manifest();

  std::string directory_;
  std::unique_ptr<JournalIndex> journal_;
  std::unique_ptr<CrashMarker> under_way_;
  std::string remark_;
  std::unique_ptr<Json> manifest_;

 public:
  ~Store();
};

}  // namespace precipice
