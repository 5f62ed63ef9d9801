// Is this machine fit to measure on, and what would change a number. Looks; changes nothing.
#pragma once

#include <string>
#include <vector>

#include "harness/trial_json.hpp"
#include "models/cpu_set.hpp"
#include "models/request.hpp"

namespace precipice {

enum class Severity : std::uint8_t { bad, doubtful, fine };

struct Finding {
  Severity severity = Severity::fine;
  std::string what;    ///< one sentence, with its numbers
  std::string effect;  ///< which result it changes, and how; "" when fine
  std::string cure;    ///< what to do; "" when fine or when nothing can be done
};

/// The longest stall of one CPU while it was watched.
struct StallFloor {
  int cpu = 0;
  std::int64_t longest_ns = 0;
};

struct Diagnosis {
  std::vector<Finding> findings;  ///< worst first
  std::vector<StallFloor> stalls;
  double watched_s = 0;
  Nanos smallest_slo{0};      ///< below it the stalls of this machine make most trials invalid
  Nanos smallest_service{0};  ///< the S whose default SLO, 10 S, is that bound
  bool fit = true;            ///< nothing is bad
};

/// Watches each CPU for `watch` with sleeps of 1 ms, and reads /proc and /sys meanwhile.
Diagnosis diagnose(const CpuSet& cpus, Nanos watch);

Json to_json(const Diagnosis& diagnosis);
std::string to_text(const Diagnosis& diagnosis);

}  // namespace precipice
