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
  bool anonymous = false;  ///< doctor, run: no names of hosts, users and places
  std::string generator_cpus, model_cpus;
  // list
  std::string what;
  // check
  std::string checked_run;
  // compare, export
  std::string run, other_run, min_effect, format, series;
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

}  // namespace precipice::cli
