// The directory of a run, results/SUITE/TIME-GITSHA/: the append-only journal from which
// everything else is made, and which an interrupted run continues from.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/campaign.hpp"
#include "harness/durable.hpp"
#include "harness/trial_json.hpp"

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
};

/// Not thread-safe. Everything that writes throws CannotWrite; what is in the journal stays intact.
class Store {
 public:
  /// Continues the newest unfinished run of this identity under `root`/SUITE, or begins a new one
  /// (always with `fresh`). Throws UsageError when that run is of another schema.
  static std::unique_ptr<Store> open(const std::string& root, const RunIdentity& identity,
                                     bool fresh);

  const std::string& directory() const { return directory_; }
  /// Trials found in the journal of the run that is being continued; 0 for a new one.
  std::size_t recovered() const { return recovered_; }
  /// What a user should know of how it was opened (a torn line cut, another build's run left), or
  /// "".
  const std::string& remark() const { return remark_; }

  std::optional<Record> find(const std::string& key) const;
  std::optional<CalibrationRecord> find_calibration(const std::string& key) const;
  /// Appends one line, on disk when it returns. A key that is there already is not written again.
  void keep(const Record& record);
  void keep(const CalibrationRecord& record);

  /// `which` is "before" or "after". "before" is kept from the first start of a continued run.
  /// The calibration of CPU work that this run's trials use: what the manifest has, else
  /// `measured`, which is then kept there, so that a continued run does the same work.
  double cpu_iterations_per_us(double measured);
  void environment(const std::string& which, const Json& environment);
  /// points.csv from the journal, summary.json and summary.csv, and last the manifest.
  void finish(const CampaignResult& result);

 private:
  Store(std::string directory, std::unique_ptr<AppendFile> journal);
  void load_journal();
  void append(const std::string& key, const std::string& line);
  void write_manifest();
  std::string line_at(std::pair<std::uint64_t, std::uint64_t> place) const;

  std::string directory_;
  std::unique_ptr<AppendFile> journal_;
  /// key -> (offset, length) in the journal; a calibration's key has "calibration " before it.
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> lines_;
  std::vector<std::string> order_;  ///< keys as they were written
  std::size_t recovered_ = 0;
  std::string remark_;
  std::unique_ptr<Json> manifest_;

 public:
  ~Store();
};

}  // namespace precipice
