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
  std::string generator_cpus, model_cpus;
  // list
  std::string what;
  // trial, capacity
  std::string model, workload, rate, closed, think, seconds, warmup, seed, arrivals, slo;
  std::string clock = "real";
  // capacity, run
  std::string blocks, budget;
  // run
  std::string suite, out, only;
  bool dry_run = false, fresh = false;
};

/// Each returns an Exit, and throws UsageError, Unavailable, CannotWrite or Interrupted.
int doctor(const Arguments& arguments);
int list(const Arguments& arguments);
int trial(const Arguments& arguments);
int capacity(const Arguments& arguments);
int run(const Arguments& arguments);

}  // namespace precipice::cli
