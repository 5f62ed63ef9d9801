// The command line: parses, calls the verb, and turns errors into messages and exit codes.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <new>
#include <sstream>
#include <string>
#include <vector>

#include "harness/cli/common_options.hpp"
#include "harness/cli/completion.hpp"
#include "harness/cli/standard_streams.hpp"
#include "harness/cli/verbs.hpp"
#include "harness/host/build_info.hpp"
#include "harness/report/export.hpp"
#include "harness/store/durable_file.hpp"
#include "harness/trial/interrupt.hpp"
#include "models/memory_limits.hpp"
#include "models/options.hpp"
#include "models/unavailable.hpp"

namespace precipice::cli {
namespace {

constexpr const char* kExitCodes =
    "Exit codes: 0 done, 1 internal error, 2 wrong usage, 3 invalid measurement, 4 this machine "
    "lacks\nsomething, 5 results cannot be written, 130 interrupted.";

const std::vector<std::string> kVerbs = {"doctor", "list",    "trial",     "capacity",
                                         "run",    "compare", "check",     "export",
                                         "show",   "bundle",  "completion"};

void add_common(CLI::App& verb, Arguments& a) {
  verb.add_flag("--json", a.json, "One JSON document on stdout, everything else on stderr");
  verb.add_option("--generator-cpus", a.generator_cpus,
                  "CPUs of the generator, as in 0 or 0,2-3 (default: the first allowed)");
  verb.add_option("--model-cpus", a.model_cpus, "CPUs of the model (default: the others)");
}

void add_anonymous(CLI::App& verb, Arguments& a) {
  verb.add_flag("--anonymous", a.anonymous,
                "Leave out names of hosts and users, paths, addresses and product ids");
}

void add_force(CLI::App& verb, Arguments& a) {
  verb.add_flag("--force", a.force,
                "Begin without a look at the noise, even where hardly a trial can be valid");
}

void add_what(CLI::App& verb, Arguments& a) {
  verb.add_option("--model", a.model, "A model, as in fixed_pool:threads=8 (precipice list models)")
      ->required();
  verb.add_option("--workload", a.workload,
                  "A workload, as in cpu:work=200us,dist=exponential (precipice list workloads)")
      ->required();
  verb.add_option("--warmup", a.warmup, "Discarded time before the window, as in 300ms");
  verb.add_option("--seconds", a.seconds, "Length of the window, as in 2 or 500ms (default: 1s)");
  verb.add_option("--seed", a.seed, "Decides arrivals and requests (default: 1)");
  verb.add_option("--arrivals", a.arrivals,
                  "poisson, fixed, uniform, bursts(on,off) or trace(FILE) (default: poisson)");
  verb.add_option("--slo", a.slo, "As in 'p99<10ms' or 'p99 < 10xS'");
  verb.add_option("--clock", a.clock, "real, or virtual for the oracle (default: real)");
}

void add_compare(CLI::App& app, Arguments& a) {
  CLI::App* verb = app.add_subcommand("compare", "What changed between runs, cell by cell");
  verb->add_option(
          "runs", a.runs,
          "Runs' directories, or suites': their newest finished run. The first is the base")
      ->required();
  verb->add_option("--min-effect", a.min_effect,
                   "Least difference that matters, as in 3% (default: any)");
  verb->add_option("--baseline", a.baseline, "The base: a run that was saved under this name");
  verb->add_option("--save-baseline", a.save_baseline,
                   "Keep RUN under this name, in results/baselines");
  verb->add_flag("--fail-on-change", a.fail_on_change,
                 "Exit code 1 when something changed beyond noise, 3 when that cannot be told");
  verb->add_option("--out", a.out, "Where baselines are (default: results)");
  verb->add_flag("--json", a.json, "One JSON document on stdout, everything else on stderr");
  verb->footer(
      "Examples:\n"
      "  precipice compare results/quick/20261120T181235Z-26cf65d results/quick --min-effect 3%\n"
      "  precipice compare BEFORE AFTER OTHER_MACHINE\n"
      "  precipice compare --save-baseline main results/quick\n"
      "  precipice compare --baseline main results/quick --min-effect 5% --fail-on-change\n"
      "Exit code 0 when they were compared, whatever came out; with --fail-on-change 1 when a "
      "figure\n"
      "is higher or lower beyond noise, else 3 when one cannot be told or is missing, else 0.");
}

void add_show(CLI::App& app, Arguments& a) {
  CLI::App* verb = app.add_subcommand("show", "The table and small curves of a run, once more");
  verb->add_option("run", a.run, "A run's directory, or a suite's: its newest finished run")
      ->required();
  verb->add_flag("--json", a.json, "Its summary as one JSON document on stdout");
  verb->footer(
      "Example:\n  precipice show results/quick\n"
      "Curves are p99 over offered load; NO_COLOR, COLUMNS and a pipe are respected.");
}

void add_bundle(CLI::App& app, Arguments& a) {
  CLI::App* verb = app.add_subcommand("bundle", "One archive of a run, to reproduce it from");
  verb->add_option("run", a.run, "A run's directory, or a suite's: its newest finished run")
      ->required();
  verb->add_option("-o,--out", a.out, "A file or a directory (default: SUITE-TIME-COMMIT.tar.gz)");
  verb->add_flag(
      "--anonymous", a.anonymous,
      "For double-blind review: without names of hosts and users, paths, addresses, commit");
  verb->add_option("--hide", a.hidden, "With --anonymous: a further word that must not appear")
      ->allow_extra_args(false);
  verb->add_flag("--json", a.json, "One JSON document on stdout, everything else on stderr");
  verb->footer(
      "Examples:\n  precipice bundle results/quick -o artifact.tar.gz\n"
      "  precipice bundle results/quick --anonymous --hide 'Our Institute'\n"
      "The same run gives the same bytes. scripts/reproduce.sh takes what this writes.");
}

void add_completion(CLI::App& app, Arguments& a) {
  CLI::App* verb = app.add_subcommand("completion", "A script that completes the command line");
  verb->add_option("shell", a.shell, "bash, zsh or fish")->required();
  verb->footer(
      "Examples:\n  source <(precipice completion bash)\n"
      "  precipice completion fish > ~/.config/fish/completions/precipice.fish");
}

void add_export(CLI::App& app, Arguments& a) {
  CLI::App* verb = app.add_subcommand("export", "A run in the formats that other tools read");
  verb->add_option("run", a.run, "A run's directory, or a suite's: its newest finished run")
      ->required();
  std::string formats;
  for (const Exporter& each : exporters())
    formats += fmt::format("{}{}: {}", formats.empty() ? "" : "\n", each.name, each.describe);
  verb->add_option("--as", a.format, formats)->required();
  verb->add_option("--out", a.out, "A file, or a directory for several (default: standard output)");
  verb->add_option("--series", a.series, "Only this series, as in fixed_pool:threads=8");
  verb->add_option("--workload", a.workload, "Only this workload, as in sleep:wait=5ms");
  verb->add_option("--rate", a.rate, "hgrm: only the offered rate nearest to this one");
  verb->add_flag("--json", a.json, "With --out: the files written, as one JSON document");
  verb->footer(
      "Examples:\n"
      "  precipice export results/quick --as hgrm --out distributions/\n"
      "  precipice export results/quick --as gbench --out a.json\n"
      "hgrm values are in milliseconds; gbench times in nanoseconds per request at saturation.");
}

void build(CLI::App& app, Arguments& a) {
  app.require_subcommand(1);
  app.set_version_flag("--version", version_text());
  app.footer(
      std::string("Examples:\n"
                  "  precipice doctor\n"
                  "  precipice trial --model event_loop --workload sleep:wait=5ms --rate 2000\n"
                  "  precipice capacity --model fixed_pool:threads=8 --workload cpu:work=1ms\n"
                  "  precipice run quick.toml\n\n") +
      kExitCodes);

  CLI::App* doctor_verb =
      app.add_subcommand("doctor", "Is this machine fit to measure on; what would change a number");
  add_anonymous(*doctor_verb, a);
  add_common(*doctor_verb, a);
  doctor_verb->footer(
      "Changes nothing; says what would change a number, worst first, and what to do about it.\n"
      "Example:\n  precipice doctor --json");

  CLI::App* list_verb = app.add_subcommand("list", "Models, workloads and suites, with their keys");
  list_verb->add_option("what", a.what, "models, workloads or suites (default: all)");
  add_common(*list_verb, a);
  list_verb->footer("Example:\n  precipice list models");

  CLI::App* trial_verb = app.add_subcommand("trial", "One model, one workload, one rate");
  add_what(*trial_verb, a);
  trial_verb->add_option("--rate", a.rate,
                         "Open loop: requests offered per second, as in 5000 or 5k");
  trial_verb->add_option("--closed", a.closed,
                         "Closed loop: requests kept in flight, as in 64 or 10k");
  trial_verb->add_option("--think", a.think,
                         "Closed loop: pause before the next request, as in 1ms");
  add_common(*trial_verb, a);
  trial_verb->footer(
      "Examples:\n"
      "  precipice trial --model io_uring --workload file --rate 20k --seconds 2\n"
      "  precipice trial --model fixed_pool --workload sleep:wait=2ms --closed 64 --json\n"
      "  precipice trial --model oracle:mean=1ms,service=exponential --workload empty --rate 500 "
      "\\\n"
      "      --clock virtual --seconds 100");

  CLI::App* capacity_verb =
      app.add_subcommand("capacity", "The cliff and the saturation of one model on one workload");
  add_what(*capacity_verb, a);
  capacity_verb->add_option(
      "--blocks", a.blocks,
      "Exactly so many repetitions of the whole measurement (default: as --precision asks)");
  capacity_verb->add_option(
      "--precision", a.precision,
      "Stop when cliff and saturation are known to within this (default: 3%)");
  capacity_verb->add_option("--budget", a.budget,
                            "Begin no block that would end after this (default: 60s)");
  add_force(*capacity_verb, a);
  add_common(*capacity_verb, a);
  capacity_verb->footer(
      "Examples:\n"
      "  precipice capacity --model event_loop --workload sleep:wait=5ms --slo 'p99<20ms'\n"
      "  precipice capacity --model oracle:servers=1,service=fixed,mean=1ms --workload empty \\\n"
      "      --clock virtual --json");

  CLI::App* run_verb = app.add_subcommand("run", "A suite of models and workloads, into results/");
  run_verb
      ->add_option("suite", a.suite, "A .toml file, or the name of one of precipice list suites")
      ->required();
  run_verb->add_option("--out", a.out, "Where the run's directory goes (default: results)");
  run_verb->add_flag("--dry-run", a.dry_run, "Print the resolved suite and how long it takes");
  run_verb->add_flag("--fresh", a.fresh, "Begin a new run even when one could be continued");
  run_verb->add_option("--budget", a.budget, "Begin no block that would end after this, as in 20m");
  run_verb->add_option("--blocks", a.blocks, "Instead of the suite's");
  run_verb->add_option("--only", a.only, "Only cells whose 'series workload' contains this");
  add_anonymous(*run_verb, a);
  add_force(*run_verb, a);
  add_common(*run_verb, a);
  run_verb->footer(
      "Examples:\n"
      "  precipice run quick.toml\n"
      "  precipice run standard.toml --only 'io_uring sleep' --budget 20m\n"
      "An unfinished run of the same suite is continued. The first Ctrl-C stops after the trial\n"
      "under way, the second at once; nothing measured is lost.");

  CLI::App* check_verb = app.add_subcommand("check", "Do the claims of a run's suite hold");
  check_verb
      ->add_option("run", a.checked_run,
                   "A run's directory, or a suite's with its newest finished run (results/claims)")
      ->required();
  check_verb->add_option("--claims-of", a.claims_of,
                         "Another run: does RUN confirm its claims, or without any its shape");
  add_common(*check_verb, a);
  check_verb->footer(
      "A claim holds or fails when its 95% interval says so, and is undecided otherwise.\n"
      "Exit codes: 0 all hold; 1 one fails; else 3 one is undecided or has no valid measurement;\n"
      "else 4 one needs what this machine lacks; 2 wrong usage, a suite without claims included.\n"
      "With --claims-of: 0 all confirmed; 1 one is not; else 3 one is undecided.\n"
      "Example:\n"
      "  precipice run claims.toml && precipice check results/claims");
  add_compare(app, a);
  add_export(app, a);
  add_show(app, a);
  add_bundle(app, a);
  add_completion(app, a);
}

/// `--rate -1` is a wrong value, not an unknown option -1.
std::vector<std::string> with_negative_values_joined(const std::vector<std::string>& argv) {
  std::vector<std::string> joined;
  for (const std::string& word : argv) {
    const bool negative = word.size() > 1 && word[0] == '-' &&
                          (std::isdigit(static_cast<unsigned char>(word[1])) || word[1] == '.');
    if (negative && !joined.empty() && joined.back().starts_with("--") &&
        joined.back().find('=') == std::string::npos) {
      joined.back().append("=").append(word);
    } else {
      joined.push_back(word);
    }
  }
  return joined;
}

/// CLI11 says that a word was not expected; the user wants to know which was meant.
std::string with_suggestion(const std::string& message, const CLI::App& app,
                            const std::vector<std::string>& argv) {
  for (const CLI::App* verb : app.get_subcommands()) {
    std::vector<std::string> names;
    for (const CLI::Option* option : verb->get_options()) names.push_back(option->get_name());
    for (const std::string& word : argv) {
      const std::string name = word.substr(0, word.find('='));
      if (!name.starts_with("--") || std::find(names.begin(), names.end(), name) != names.end())
        continue;
      const std::string near = nearest_name(name, names);
      return fmt::format("{} has no option {}{} (precipice {} --help)", verb->get_name(), name,
                         near.empty() ? "" : fmt::format("; did you mean {}?", near),
                         verb->get_name());
    }
  }
  return message;
}

int dispatch(const CLI::App& app, const Arguments& a) {
  const std::string verb = app.get_subcommands().front()->get_name();
  if (verb == "doctor") return doctor(a);
  if (verb == "list") return list(a);
  if (verb == "trial") return trial(a);
  if (verb == "capacity") return capacity(a);
  if (verb == "check") return a.claims_of.empty() ? check(a) : check_against(a);
  if (verb == "compare") return compare(a);
  if (verb == "export") return export_run(a);
  if (verb == "show") return show(a);
  if (verb == "bundle") return bundle(a);
  if (verb == "completion") {
    print_data(completion_script(app, a.shell));
    return kDone;
  }
  return run(a);
}

int fail(Exit code, const char* what) {
  remark(what);
  return code;
}

/// In a catch block: what ran out is no fault of the program, everything else is.
int fail_unforeseen() {
  try {
    throw_what_ran_out("this machine does not have what that needs");
  } catch (const Unavailable& lacking) {
    return fail(kLacking, lacking.what());
  } catch (const std::bad_alloc&) {  // not even for the sentence
    std::fputs("precipice: no memory is left\n", stderr);
    return kLacking;
  } catch (const std::exception& error) {
    return fail(kInternal, fmt::format("internal error: {}", error.what()).c_str());
  }
}

int main_of(const std::vector<std::string>& argv) {
  Arguments arguments;
  arguments.argv = argv;
  CLI::App app("Where is the latency cliff of each concurrency model, and how much can it carry",
               "precipice");
  build(app, arguments);
  if (argv.size() > 1 && !argv[1].starts_with('-') &&
      std::find(kVerbs.begin(), kVerbs.end(), argv[1]) == kVerbs.end()) {
    const std::string near = nearest_name(argv[1], kVerbs);
    throw UsageError(fmt::format("there is no verb '{}'{} (verbs: {})", argv[1],
                                 near.empty() ? "" : fmt::format("; did you mean '{}'?", near),
                                 fmt::join(kVerbs, ", ")));
  }
  std::vector<std::string> words = with_negative_values_joined({argv.begin() + 1, argv.end()});
  std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
  try {
    app.parse(words);
  } catch (const CLI::Success& success) {
    std::ostringstream text;
    const int code = app.exit(success, text, text);
    print_text(text.str());
    return code;
  } catch (const CLI::ParseError& error) {
    throw UsageError(with_suggestion(error.what(), app, argv));
  }
  return dispatch(app, arguments);
}

}  // namespace
}  // namespace precipice::cli

int main(int argc, char** argv) {
  using namespace precipice;
  using namespace precipice::cli;
  try {
    occupy_standard_streams();
    bound_malloc_arenas();
    return main_of({argv, argv + argc});
  } catch (const UsageError& error) {
    return fail(kUsage, error.what());
  } catch (const Unavailable& error) {
    return fail(kLacking, error.what());
  } catch (const CannotWrite& error) {
    return fail(kCannotWrite, error.what());
  } catch (const Interrupted& error) {
    return fail(kInterrupted, error.what());
  } catch (...) {
    return fail_unforeseen();
  }
}
