// precipice doctor: is this machine fit to measure on.
#include "harness/doctor.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "harness/cli/common.hpp"

namespace precipice::cli {

int doctor(const Arguments& arguments) {
  const CpuChoice chosen = choose_cpus(arguments);
  std::vector<int> cpus = chosen.generator.list();
  cpus.insert(cpus.end(), chosen.model.list().begin(), chosen.model.list().end());
  const Diagnosis diagnosis = diagnose(CpuSet(cpus), std::chrono::milliseconds(1500));
  if (arguments.json) {
    print_json(to_json(diagnosis));
  } else {
    fmt::print("{}", to_text(diagnosis));
  }
  return kDone;
}

}  // namespace precipice::cli
