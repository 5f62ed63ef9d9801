// precipice doctor: is this machine fit to measure on.
#include "harness/doctor.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "harness/cli/common.hpp"

namespace precipice::cli {

int doctor(const Arguments& arguments) {
  constexpr Nanos kWatch = std::chrono::milliseconds(2500);
  const CpuChoice chosen = choose_cpus(arguments);
  const Examination examination =
      examine(chosen.generator, chosen.model, "results", arguments.anonymous, kWatch);
  const std::vector<Finding> found = findings(examination);
  if (arguments.json) {
    print_json(to_json(examination, found));
  } else {
    print_text(to_text(examination, found));
  }
  return kDone;
}

}  // namespace precipice::cli
