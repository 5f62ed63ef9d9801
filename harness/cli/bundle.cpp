// precipice bundle: one archive to reproduce a run from.
#include "harness/store/bundle.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "harness/cli/common_options.hpp"
#include "harness/json.hpp"

namespace precipice::cli {
namespace {

struct BundleArguments {
  std::string run, out;
  bool anonymous = false, json = false;
  std::vector<std::string> hidden;  ///< words besides the names that are found
};

int bundle(const BundleArguments& arguments) {
  if (!arguments.hidden.empty() && !arguments.anonymous)
    throw UsageError("--hide WORD belongs to --anonymous");
  const RunArchive run = open_run(arguments.run);
  remark(run.remark);
  const Bundle written = write_bundle(
      run, {.out = arguments.out, .anonymous = arguments.anonymous, .hidden = arguments.hidden});
  for (const std::string& each : written.left_out) remark("left out: " + each);
  if (arguments.json) {
    print_json({{"schema", kSchema},
                {"run", run.name},
                {"file", written.file},
                {"bytes", written.bytes},
                {"sha256", written.sha256},
                {"files", written.files},
                {"anonymous", arguments.anonymous},
                {"left_out", written.left_out}});
  } else {
    print_text(fmt::format("{}\n{} files, {:.1f} MiB, SHA-256 {}\n", written.file, written.files,
                           static_cast<double>(written.bytes) / (1 << 20), written.sha256));
  }
  return kDone;
}

void add_options(OptionParser& parser, BundleArguments& a) {
  add_run(parser, a.run);
  parser.add_option("-o,--out", a.out, "A file or a directory (default: SUITE-TIME-COMMIT.tar.gz)");
  parser.add_flag(
      "--anonymous", a.anonymous,
      "For double-blind review: without names of hosts and users, paths, addresses, commit");
  parser.add_option("--hide", a.hidden, "With --anonymous: a further word that must not appear");
  add_json(parser, a.json);
  parser.footer(
      "Examples:\n  precipice bundle results/quick -o artifact.tar.gz\n"
      "  precipice bundle results/quick --anonymous --hide 'Our Institute'\n"
      "The same run gives the same bytes. scripts/reproduce.sh takes what this writes.");
}

}  // namespace

Verb bundle_verb() {
  return make_verb<BundleArguments>("bundle", "One archive of a run, to reproduce it from",
                                    add_options, bundle);
}

}  // namespace precipice::cli
