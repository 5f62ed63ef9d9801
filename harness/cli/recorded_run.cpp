#include "harness/cli/recorded_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "harness/capacity/campaign.hpp"
#include "harness/capacity/plan_estimate.hpp"
#include "harness/cli/campaign_hosts.hpp"
#include "harness/cli/common_options.hpp"
#include "harness/cli/preflight.hpp"
#include "harness/compare/open_order.hpp"
#include "harness/format.hpp"
#include "harness/host/build_info.hpp"
#include "harness/host/environment.hpp"
#include "harness/host/environment_variable.hpp"
#include "harness/json.hpp"
#include "harness/report/terminal.hpp"
#include "harness/shown_text.hpp"
#include "harness/store/circumstances.hpp"
#include "harness/store/durable_file.hpp"
#include "harness/store/redact_run.hpp"
#include "harness/store/run_store.hpp"
#include "harness/store/suite_writer.hpp"
#include "harness/trial/interrupt.hpp"
#include "harness/trial/trace_file.hpp"
#include "workloads/cpu_work.hpp"

namespace precipice::cli {
namespace {

/// Of the arrivals, as it is now: that it has not changed since the plan was read is checked.
std::string text_of_trace(const Plan& plan) {
  const std::string file = plan.arrivals.trace_file();
  if (file.empty()) return "";
  std::string text = read_file(file);
  std::istringstream lines(text);
  if (!plan.arrivals.has_times(parse_trace(lines, file)))
    throw UsageError(fmt::format("{}: has changed while it was read; take a copy of it", file));
  return text;
}

RunIdentity identity_of(const Plan& plan, const Json& environment, bool anonymous,
                        const Words& argv) {
  // The run's directory holds its trace, wherever it was read from.
  Plan kept = plan;
  kept.arrivals = plan.arrivals.with_trace_file(kTraceName);
  RunIdentity identity{.suite = plan.name,
                       .suite_hash = plan_hash(plan),
                       .suite_toml = to_toml(kept),
                       .seed = plan.seed,
                       .git_sha = build_git_sha(),
                       .binary_hash = binary_hash(),
                       .argv = argv,
                       .circumstances = circumstances_of(plan, environment),
                       .trace = text_of_trace(plan)};
  if (anonymous) {
    const Secrets secrets = Secrets::of_this_process();
    identity.argv = anonymous_argv(argv, secrets);
    for (auto& [what, value] : identity.circumstances) value = without_secrets(value, secrets);
    identity.trace = anonymous_text(identity.trace, secrets);
  }
  return identity;
}

std::string resume_command(const Words& argv) {
  std::string text = "precipice";
  for (std::size_t i = 1; i < argv.size(); ++i) {
    if (argv[i] == "--fresh") continue;
    text += " " + shell_quoted(argv[i]);
  }
  return text;
}

/// For scripts that go on from the run: its directory, in a file of their choice.
void name_directory(const std::string& directory) {
  const auto file = environment_variable("PRECIPICE_DIRECTORY_FILE");
  if (!file) return;
  try {
    replace_file(*file, directory + "\n");
  } catch (const CannotWrite& failed) {
    throw CannotWrite(failed.problem + ": name another file in PRECIPICE_DIRECTORY_FILE");
  }
}

class Host final : public JournallingHost {
 public:
  Host(Terminal& terminal, Store& store, bool quiet)
      : JournallingHost(terminal, store), quiet_(quiet) {}
  void cell_finished(const Progress& progress, const std::string& line) override {
    if (!quiet_) JournallingHost::cell_finished(progress, line);
  }

 private:
  bool quiet_;
};

}  // namespace

RecordedRun record_run(const Plan& plan, const RecordingOptions& options, const Words& argv) {
  // A server that is not this program's is left alone at the first signal.
  watch_signals(!plan.targets.empty());
  const EnvironmentOptions looking{.anonymous = options.anonymous,
                                   .wake_up_cpus = plan.generator_cpus};
  const Json before = environment_json(looking);
  const std::unique_ptr<Store> store = Store::open(
      results_root(options.out), identity_of(plan, before, options.anonymous, argv), options.fresh);
  store->environment("before", before);
  // The window is in the suite's hash, by which a run is continued and compared.
  Plan seen = plan;
  look_at_noise(seen, options.force, true);
  set_cpu_iterations_per_us(store->cpu_iterations_per_us(cpu_iterations_per_us()));
  Terminal progress(options.progress);
  PlanEstimate expected = estimate(plan);
  const double budget_s = std::chrono::duration<double>(plan.budget).count();
  const bool longer = options.further_blocks && budget_s > expected.seconds;
  if (budget_s > 0) expected.seconds = std::min(expected.seconds, budget_s);
  progress.line(
      fmt::format("{}: {} cells, {} blocks, about {} trials, about {}{}", plan.name, expected.cells,
                  plan.blocks, expected.trials, readable_duration(expected.seconds),
                  longer ? fmt::format("; then further blocks of what is open, up to {} in all",
                                       readable_duration(budget_s))
                         : ""));
  progress.line(fmt::format("into {}", store->directory()));
  if (store->recovered() > 0)
    progress.line(fmt::format("continuing: {} trials are there already", store->recovered()));
  remark(store->remark());
  if (store->recovered() > 0 && plan.clock == ClockKind::real) {
    for (const std::string& sentence : changed_settings(store->environment_before(), before))
      remark("since this run was begun, " + sentence);
  }

  Host host(progress, *store, options.only_the_end);
  RecordedRun run;
  run.directory = store->directory();
  run.hint = fmt::format("what was measured is in {}; to continue: {}", run.directory,
                         resume_command(argv));
  set_last_words("interrupted; " + run.hint);
  try {
    run.result = run_campaign(plan, host, options.further_blocks ? order_open : OpenCells{});
    progress.clear_live();
    const Json after = environment_json(looking);
    store->environment("after", after);
    // Virtual time passes on any machine alike.
    if (plan.clock == ClockKind::real) {
      for (const std::string& sentence : differences(before, after)) remark(sentence);
    }
    if (options.budget_finishes) run.result.out_of_budget = false;
    store->finish(run.result);
  } catch (const Interrupted& interrupted) {
    progress.clear_live();
    throw Interrupted(fmt::format("{}; {}", interrupted.what(), run.hint));
  } catch (const CannotWrite& failed) {
    progress.clear_live();
    throw CannotWrite(fmt::format("{}; {}", failed.what(), run.hint));
  }
  name_directory(run.directory);
  return run;
}

}  // namespace precipice::cli
