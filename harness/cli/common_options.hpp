// What several verbs read in the same way.
#pragma once

#include <string>
#include <vector>

#include "harness/cli/verb.hpp"
#include "harness/host/cpu_choice.hpp"
#include "harness/json.hpp"
#include "harness/trial/trial.hpp"

namespace precipice::cli {

// Arguments are texts as they were given, "" where nothing was: each verb parses what it uses.

/// --json, --generator-cpus and --model-cpus.
struct CommonArguments {
  bool json = false;
  std::string generator_cpus, model_cpus;
};
void add_common(OptionParser& parser, CommonArguments& arguments);
void add_json(OptionParser& parser, bool& json);
void add_anonymous(OptionParser& parser, bool& anonymous);
void add_force(OptionParser& parser, bool& force);
/// The positional argument of verbs that read one run.
void add_run(OptionParser& parser, std::string& run);

/// What `trial` and `capacity` are asked alike, beside the model.
struct CellArguments {
  std::string workload, warmup, seconds, seed, arrivals, slo;
  std::string clock = "real";
};
void add_cell(OptionParser& parser, CellArguments& arguments);
/// The same where --workload may be left out.
void add_cell_or_target(OptionParser& parser, CellArguments& arguments);
inline constexpr const char* kModelHelp =
    "A model, as in fixed_pool:threads=8 (precipice list models)";
/// --model as often as it is given.
void add_models(OptionParser& parser, std::vector<std::string>& models, const std::string& help);

/// --transport, and what it makes of a model's series (see trial/transport.hpp). Throws UsageError.
void add_transport(OptionParser& parser, std::string& transport);
void apply_transport(const std::string& text, Spec& model);

/// --policy as often as it is given, outer first.
void add_policies(OptionParser& parser, std::vector<std::string>& policies);
/// Names the series by them. Throws UsageError.
std::vector<Spec> parse_policies_of(const std::vector<std::string>& texts, Spec& model);

/// --class as often as it is given, for parse_classes.
void add_classes(OptionParser& parser, std::vector<std::string>& classes);

/// The CPUs that the arguments name, and for the rest the default (cpu_choice.hpp). Throws
/// UsageError.
CpuChoice choose_cpus(const CommonArguments& arguments);

ClockKind parse_clock(const std::string& text);
/// `2s`, or a plain number of seconds; above 0 unless `zero` is allowed.
Nanos parse_seconds(const std::string& text, std::string_view what, bool zero = false);
/// "3%" or "0.03": a share from 0 to 1. Throws UsageError.
double parse_share(const std::string& text, std::string_view what);

/// What a request of an `oracle` takes alone and its servers, from its options.
struct OracleShape {
  Nanos mean{0};
  std::uint64_t servers = 1;
};
OracleShape oracle_shape(const Spec& model);
/// Throws UsageError when the virtual clock is asked for anything but `oracle` with `empty`.
void check_clock(ClockKind clock, const Spec& model, const Spec& workload);

/// (name, path) of the suites that come with the program and those beside the working directory.
std::vector<std::pair<std::string, std::string>> known_suites();

/// Where runs and baselines are: `out` if it is given, results/ of the working directory, else of
/// the source tree, else results/ yet to be made here.
std::string results_root(const std::string& out);

/// One document on stdout.
void print_json(const Json& json);
/// For people, to stdout: what would act on a terminal is written out, but for this program's own
/// colours on a terminal that has them. Throws CannotWrite when not all of it could be written.
void print_text(const std::string& text);
/// For programs, to stdout: byte by byte, unless that is a terminal. Throws as print_text.
void print_data(const std::string& text);
/// To stderr, as `precipice: ...`.
void remark(const std::string& text);

}  // namespace precipice::cli
