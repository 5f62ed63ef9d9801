// What the command line asked for, and the verbs that do it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace precipice::cli {

/// Exit codes; --help lists them.
enum Exit {
  kDone = 0,
  kInternal = 1,
  kClaimFails = 1,  ///< check: an internal error cannot be told from it by its code alone
  kChanged = 1,     ///< compare --fail-on-change: likewise
  kUsage = 2,
  kInvalid = 3,
  kLacking = 4,
  kCannotWrite = 5,
  kInterrupted = 130,
};

/// Texts as they were written, "" where nothing was: each verb parses what it uses.
struct Arguments {
  std::vector<std::string> argv;
  bool json = false;
  bool anonymous = false;  ///< doctor, run, bundle: no names of hosts, users and places
  std::string generator_cpus, model_cpus;
  // list
  std::string what;
  // check
  std::string checked_run, claims_of;
  // compare: the base first
  std::vector<std::string> runs;
  std::string min_effect, baseline, save_baseline;
  bool fail_on_change = false;
  // export, show, bundle
  std::string run;
  // export
  std::string format, series;
  // bundle: words besides the names that are found
  std::vector<std::string> hidden;
  // completion
  std::string shell;
  // trial, capacity
  std::string model, workload, rate, closed, think, seconds, warmup, seed, arrivals, slo;
  std::string clock = "real";
  // capacity, run
  std::string blocks, budget;
  // capacity
  std::string precision;
  // run
  std::string suite, out, only;
  bool dry_run = false, fresh = false, force = false;
};

/// Each returns an Exit, and throws UsageError, Unavailable, CannotWrite or Interrupted.
int doctor(const Arguments& arguments);
int list(const Arguments& arguments);
int trial(const Arguments& arguments);
int capacity(const Arguments& arguments);
int run(const Arguments& arguments);
int compare(const Arguments& arguments);
int export_run(const Arguments& arguments);
int check(const Arguments& arguments);
/// check RUN --claims-of ORIGINAL.
int check_against(const Arguments& arguments);
int show(const Arguments& arguments);
int bundle(const Arguments& arguments);

}  // namespace precipice::cli
