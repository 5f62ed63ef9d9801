// precipice bundle: one archive to reproduce a run from.
#include "harness/store/bundle.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "harness/cli/common_options.hpp"
#include "harness/json.hpp"

namespace precipice::cli {

int bundle(const Arguments& arguments) {
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

}  // namespace precipice::cli
