#include "harness/store/bundle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "harness/host/build_info.hpp"
#include "harness/store/artifact_readme.hpp"
#include "harness/store/durable_file.hpp"
#include "harness/store/part_directory.hpp"
#include "harness/store/redact_run.hpp"
#include "harness/store/subprocess.hpp"
#include "harness/store/temporary_directory.hpp"
#include "harness/trial/trace_file.hpp"
#include "models/options.hpp"

namespace precipice {
namespace {

namespace fs = std::filesystem;

constexpr const char* kReport = "report.html";
constexpr const char* kFigures = "figures";

/// The run's files, relative to it, sorted.
std::vector<std::string> files_of(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  fs::recursive_directory_iterator entry(directory, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    const std::string base = entry->path().filename();
    std::error_code unseen;  // a link that leads nowhere is no file
    if (entry->is_regular_file(unseen) && !entry->is_symlink(unseen) &&
        !base.ends_with(kPartSuffix) && base != "under_way")
      names.push_back(entry->path().lexically_relative(directory));
  }
  if (error) throw UsageError(fmt::format("cannot read {}: {}", directory, error.message()));
  std::sort(names.begin(), names.end());
  return names;
}

/// A trace that does not lie in the run's directory goes beside the suite, which is where a suite's
/// trace is looked for.
void add_trace(const RunArchive& run, const BundleOptions& options, const Secrets& secrets,
               const std::string& to) {
  const fs::path trace = run.plan.arrivals.trace_file();
  std::error_code error;
  if (trace.empty() || fs::equivalent(trace.parent_path(), run.directory, error)) return;
  const std::string text = read_file(trace);
  if (options.anonymous) {
    replace_file(to + "/" + kTraceName, anonymous_text(text, secrets));
  } else {
    replace_file(fs::path(to) / trace.filename(), text);
  }
}

/// Charts where there are none. And what is drawn may show names where no search of its bytes would
/// find them: so charts and report are made anew from what has become anonymous. `made` is what the
/// script writes.
void draw(const std::string& script_name, const std::string& made, const std::string& to,
          const Secrets& secrets, Bundle& bundle) {
  const std::string script = source_directory() + "/scripts/" + script_name;
  const fs::path place = fs::path(to) / made;
  std::error_code error;
  const bool copied = fs::exists(place, error);
  std::string why;
  try {
    if (!fs::exists(script, error)) throw std::runtime_error("there is no " + script_name);
    run_tool({"/usr/bin/python3", "-B", script, to}, to);
    if (!fs::exists(place, error)) throw std::runtime_error(script_name + " made none");
    std::vector<fs::path> files = {place};
    if (fs::is_directory(place, error)) {
      files.clear();
      for (const std::string& name : files_of(place)) files.push_back(place / name);
    }
    for (const fs::path& file : files) {
      if (holds_secret(read_file(file), secrets))
        throw std::runtime_error("a word that must not appear is in " + file.filename().string());
    }
  } catch (const std::exception& failed) {
    why = failed.what();
  }
  if (why.empty()) return;
  if (!copied) fs::remove_all(place, error);
  bundle.left_out.push_back(fmt::format("{} ({})", made, why));
}

void add_run(const RunArchive& run, const BundleOptions& options, const std::string& to,
             Bundle& bundle) {
  make_directories(to);
  Secrets secrets;
  if (options.anonymous) secrets = secrets_of_run(run.directory, options.hidden);
  bool report = false;
  std::vector<std::string> drawn;
  for (const std::string& name : files_of(run.directory)) {
    const std::string from = fs::path(run.directory) / name, place = fs::path(to) / name;
    const bool figure = name.starts_with(std::string(kFigures) + "/");
    if (figure) drawn.push_back(name);
    report = report || (options.anonymous && name == kReport);
    if (options.anonymous && (name == kReport || figure)) continue;
    if (name.find('/') != std::string::npos) make_directories(fs::path(place).parent_path());
    if (!options.anonymous) {
      replace_file(place, read_file(from));
    } else if (!write_anonymous(from, name, place, secrets)) {
      bundle.left_out.push_back(name + " (a name that must not appear is in it)");
    }
  }
  add_trace(run, options, secrets, to);
  if (options.anonymous) {
    // What was replaced must not have been what the files are joined by.
    bool whole = false;
    try {
      const RunArchive copy = open_run(to);
      whole = copy.result.cells.size() == run.result.cells.size() &&
              copy.plan.arrivals.identity() == run.plan.arrivals.identity();
    } catch (const UsageError&) {
    }
    if (!whole) {
      throw UsageError(
          "a name that must not appear is also that of a model, a workload or a setting, and "
          "cannot be taken out: hide another word, or bundle under another user");
    }
  }
  // Those of a medium lie deeper, and are chosen ones.
  const bool standard = std::any_of(drawn.begin(), drawn.end(), [](const std::string& name) {
    return std::count(name.begin(), name.end(), '/') == 1;
  });
  if (options.anonymous || !standard) draw("plot.py", kFigures, to, secrets, bundle);
  if (report) draw("report.py", kReport, to, secrets, bundle);
  for (const std::string& name : drawn) {
    std::error_code error;
    if (options.anonymous && !fs::exists(fs::path(to) / name, error))
      bundle.left_out.push_back(name + " (what is drawn is not copied; draw it from the bundle)");
  }
}

std::string archive_name(const RunArchive& run, bool anonymous) {
  std::string name = fs::path(run.name).filename();
  if (anonymous) name = name.substr(0, name.find('-'));
  return run.plan.name + "-" + name;
}

std::string target(const std::string& out, const std::string& name) {
  std::error_code error;
  fs::path file = name + ".tar.gz";
  if (out.ends_with('/') || fs::is_directory(out, error)) {
    make_directories(out);
    file = fs::path(out) / file;
  } else if (!out.empty()) {
    file = out;
  }
  if (fs::exists(file, error) && !fs::is_regular_file(file, error))
    throw UsageError(
        fmt::format("{}: is no regular file, so no archive can take its place", file.string()));
  const fs::path whole = fs::absolute(file, error);
  if (error) throw CannotWrite(file, error.value());
  return whole;
}

/// What the archive holds: NAME/ below the stage. Returns how many files there are.
int fill(const RunArchive& run, const BundleOptions& options, const TemporaryDirectory& stage,
         const std::string& name, Bundle& bundle) try {
  const std::string root = stage.path() + "/" + name;
  add_run(run, options, root + "/run", bundle);
  const RunArchive staged = open_run(root + "/run");
  std::vector<std::string> files = files_of(root);
  std::uint64_t bytes = 0;
  for (const std::string& each : files) {
    std::error_code error;
    const std::uintmax_t size = fs::file_size(fs::path(root) / each, error);
    if (!error) bytes += size;
  }
  replace_file(root + "/ARTIFACT.md", artifact_description(staged, name, bytes));

  std::vector<std::string> sums = {"sha256sum", "--"};
  files = files_of(root);
  sums.insert(sums.end(), files.begin(), files.end());
  replace_file(root + "/SHA256SUMS", run_tool(sums, root));
  return static_cast<int>(files.size()) + 1;
} catch (const CannotWrite& failed) {
  throw stage.has_no_room(failed);
}

}  // namespace

Bundle write_bundle(const RunArchive& run, const BundleOptions& options) {
  const std::string name = archive_name(run, options.anonymous);
  Bundle bundle;
  bundle.file = target(options.out, name);
  const TemporaryDirectory stage("precipice-bundle-");
  bundle.files = fill(run, options, stage, name, bundle);

  Replacement archive(bundle.file);
  // Nothing of who packed it, where or when. The time is the first that every tool accepts.
  try {
    run_tool({"tar", "--sort=name", "--format=gnu", "--mtime=@315532800", "--owner=0", "--group=0",
              "--numeric-owner", "--mode=u=rwX,go=rX", "-I", "gzip -n", "-cf", archive.temporary(),
              "-C", stage.path(), "--", name},
             stage.path());
  } catch (const Unavailable&) {
    throw;
  } catch (const std::exception& failed) {
    throw CannotWrite(fmt::format("{}: {}", bundle.file, failed.what()));
  }
  archive.commit();
  std::error_code error;
  const std::uintmax_t size = fs::file_size(bundle.file, error);
  if (!error) bundle.bytes = size;
  const std::string sum = run_tool({"sha256sum", "--", bundle.file}, stage.path());
  bundle.sha256 = sum.substr(sum.starts_with('\\') ? 1 : 0, 64);
  return bundle;
}

}  // namespace precipice
