#include "harness/bundle.hpp"

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "harness/anonymous_run.hpp"
#include "harness/artifact_description.hpp"
#include "harness/durable.hpp"
#include "harness/environment.hpp"
#include "harness/external_tool.hpp"
#include "models/options.hpp"

namespace precipice {
namespace {

namespace fs = std::filesystem;

constexpr const char* kReport = "report.html";
constexpr const char* kFigures = "figures";

/// A directory of its own under the system's temporary one, gone at the end.
class Stage {
 public:
  Stage() {
    std::string pattern = (fs::temp_directory_path() / "precipice-bundle-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw CannotWrite(pattern, errno);
    path_ = pattern;
  }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  ~Stage() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// The run's files, relative to it, sorted.
std::vector<std::string> files_of(const std::string& directory) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory)) {
    const std::string name = fs::path(entry.path()).lexically_relative(directory);
    const std::string base = entry.path().filename();
    if (entry.is_regular_file() && !entry.is_symlink() && !base.ends_with(".part") &&
        base != "under_way")
      names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// FILE of `trace(FILE)`; "" for other arrivals.
std::string trace_of(const RunArchive& run) {
  const std::string text = run.plan.arrivals.to_string();
  return text.starts_with("trace(") ? text.substr(6, text.size() - 7) : "";
}

/// The trace goes beside the suite, which is where a suite's trace is looked for.
void add_trace(const RunArchive& run, const BundleOptions& options, const std::string& to) {
  const std::string trace = trace_of(run);
  if (trace.empty()) return;
  const std::string name = options.anonymous ? "trace.txt" : fs::path(trace).filename().string();
  replace_file(to + "/" + name, read_file(trace));
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
    if (fs::is_directory(place)) {
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
  add_trace(run, options, to);
  if (options.anonymous) {
    // What was replaced must not have been what the files are joined by.
    bool whole = false;
    try {
      whole = open_run(to).result.cells.size() == run.result.cells.size();
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
  const std::string file = name + ".tar.gz";
  if (out.empty()) return fs::absolute(file);
  if (out.ends_with('/') || fs::is_directory(out, error)) {
    make_directories(out);
    return fs::absolute(fs::path(out) / file);
  }
  return fs::absolute(out);
}

}  // namespace

Bundle write_bundle(const RunArchive& run, const BundleOptions& options) {
  const std::string name = archive_name(run, options.anonymous);
  Bundle bundle;
  bundle.file = target(options.out, name);
  const Stage stage;
  const std::string root = stage.path() + "/" + name;
  add_run(run, options, root + "/run", bundle);
  const RunArchive staged = open_run(root + "/run");
  std::vector<std::string> files = files_of(root);
  std::uint64_t bytes = 0;
  for (const std::string& each : files) bytes += fs::file_size(fs::path(root) / each);
  replace_file(root + "/ARTIFACT.md", artifact_description(staged, name, bytes));

  std::vector<std::string> sums = {"sha256sum", "--"};
  files = files_of(root);
  sums.insert(sums.end(), files.begin(), files.end());
  replace_file(root + "/SHA256SUMS", run_tool(sums, root));
  bundle.files = static_cast<int>(files.size()) + 1;

  // Nothing of who packed it, where or when. The time is the first that every tool accepts.
  const std::string part = bundle.file + ".part";
  std::error_code error;
  try {
    run_tool({"tar", "--sort=name", "--format=gnu", "--mtime=@315532800", "--owner=0", "--group=0",
              "--numeric-owner", "--mode=u=rwX,go=rX", "-I", "gzip -n", "-cf", part, "-C",
              stage.path(), name},
             stage.path());
    fs::rename(part, bundle.file);
  } catch (const Unavailable&) {
    throw;
  } catch (const fs::filesystem_error& failed) {
    fs::remove(part, error);
    throw CannotWrite(bundle.file, failed.code().value());
  } catch (const std::exception& failed) {
    fs::remove(part, error);
    throw CannotWrite(fmt::format("{}: {}", bundle.file, failed.what()));
  }
  bundle.bytes = fs::file_size(bundle.file);
  const std::string sum = run_tool({"sha256sum", "--", bundle.file}, stage.path());
  bundle.sha256 = sum.substr(sum.starts_with('\\') ? 1 : 0, 64);
  return bundle;
}

}  // namespace precipice
