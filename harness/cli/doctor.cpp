// precipice doctor: is this machine fit to measure on.
#include "harness/host/doctor.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "harness/cli/common_options.hpp"
#include "harness/host/environment.hpp"
#include "harness/host/examination.hpp"
#include "harness/host/redact.hpp"
#include "harness/trial/noise_sampler.hpp"
#include "harness/trial/trial_runner.hpp"
#include "models/model.hpp"

namespace precipice::cli {
namespace {

struct DoctorArguments : CommonArguments {
  bool anonymous = false;
};

/// Watches the CPUs for `watch` and reads /proc and /sys.
Examination examine(const CpuSet& generator, const CpuSet& model, const std::string& results,
                    bool anonymous, Nanos watch) {
  Examination e;
  e.generator = generator;
  e.model = model;
  // Before the watch, whose own threads would count as load.
  e.environment = std::make_shared<const Json>(
      environment_json({.anonymous = anonymous, .wake_up_cpus = generator}));
  e.floor = NoiseFloor(sample_noise(generator, model, watch));
  e.root = geteuid() == 0;
  for (const ModelInfo& info : models()) {
    if (info.unavailable == nullptr) continue;
    if (const auto why = info.unavailable()) e.unavailable.emplace_back(info.name, *why);
  }
  e.scratch = look_at_storage(default_scratch_directory());
  e.results = look_at_storage(results);
  if (anonymous) {
    const Secrets secrets = Secrets::of_this_process();
    e.scratch.path = without_secrets(e.scratch.path, secrets);
    e.results.path = without_secrets(e.results.path, secrets);
  }
  return e;
}

int doctor(const DoctorArguments& arguments) {
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

void add_options(OptionParser& parser, DoctorArguments& a) {
  add_anonymous(parser, a.anonymous);
  add_common(parser, a);
  parser.footer(
      "Changes nothing; says what would change a number, worst first, and what to do about it.\n"
      "Example:\n  precipice doctor --json");
}

}  // namespace

Verb doctor_verb() {
  return make_verb<DoctorArguments>("doctor",
                                    "Is this machine fit to measure on; what would change a number",
                                    add_options, doctor);
}

}  // namespace precipice::cli
