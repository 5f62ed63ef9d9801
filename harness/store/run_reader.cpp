#include "harness/store/run_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <new>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "harness/capacity/cell_evidence.hpp"
#include "harness/capacity/ideal.hpp"
#include "harness/capacity/indicative.hpp"
#include "harness/capacity/point.hpp"
#include "harness/capacity/service_level.hpp"
#include "harness/capacity/summarise_cell.hpp"
#include "harness/store/baseline.hpp"
#include "harness/store/durable_file.hpp"
#include "harness/store/part_directory.hpp"
#include "harness/store/record_json.hpp"
#include "harness/store/suite.hpp"
#include "models/options.hpp"

namespace precipice {
namespace {

namespace fs = std::filesystem;

/// What the journal has of one probe: its last attempt stands for it.
std::string probe_of(const std::string& key) {
  const std::size_t end = key.rfind(" | a");
  return end == std::string::npos ? key : key.substr(0, end);
}

/// Throws UsageError unless `json` is of this program's schema. `place` is for the message.
void expect_schema(const Json& json, const std::string& place) {
  const auto found = json.find("schema");
  if (found != json.end() && found->is_number_integer() && *found == Json(kSchema)) return;
  throw UsageError(fmt::format(
      "{}: is of schema {}, and this program reads schema {}", place,
      found != json.end() && found->is_number_integer() ? found->dump() : "unknown", kSchema));
}

Json read_document(const std::string& path) {
  constexpr int kDeepest = 100;  // documents are copied by recursion
  const auto not_too_deep = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > kDeepest) throw UsageError(fmt::format("{}: is damaged: nested too deep", path));
    return true;
  };
  Json json = Json::parse(read_file(path), not_too_deep, false);
  if (json.is_discarded() || !json.is_object())
    throw UsageError(fmt::format("{}: is damaged: not a JSON object", path));
  if (json.contains("schema")) expect_schema(json, path);
  return json;
}

Json read_if_there(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error) ? read_document(path) : Json::object();
}

/// Throws UsageError unless what readers take from these documents is of its type or not there.
void expect_types(const std::string& directory, const Json& manifest, const Json& before,
                  const Json& after) {
  const auto expect = [&](const char* file, const Json& document, const char* path, auto is_right) {
    const Json::json_pointer pointer(path);
    if (!document.contains(pointer) || document[pointer].is_null() || is_right(document[pointer]))
      return;
    throw UsageError(fmt::format("{}/{}: is damaged: {} has another type", directory, file, path));
  };
  for (const char* text :
       {"/suite", "/suite_hash", "/started", "/ended", "/git_sha", "/binary_hash"})
    expect("manifest.json", manifest, text, [](const Json& value) { return value.is_string(); });
  expect("manifest.json", manifest, "/argv", [](const Json& value) {
    return value.is_array() && std::all_of(value.begin(), value.end(),
                                           [](const Json& word) { return word.is_string(); });
  });
  for (const auto& [file, environment] : {std::pair("environment.before.json", &before),
                                          std::pair("environment.after.json", &after)}) {
    for (const char* part : {"/build", "/cpu", "/kernel", "/memory", "/virtualisation"})
      expect(file, *environment, part, [](const Json& value) { return value.is_object(); });
    expect(file, *environment, "/memory/MemTotal_bytes",
           [](const Json& value) { return value.is_number(); });
    expect(file, *environment, "/kernel/relevant_options", [](const Json& value) {
      return value.is_array() && std::all_of(value.begin(), value.end(),
                                             [](const Json& word) { return word.is_string(); });
    });
  }
}

/// Calls `use` for each whole line; `torn` when the last one has no newline or does not parse.
template <class Use>
bool for_each_line(const std::string& path, Use use) {
  // Of a pipe the other end would be waited for.
  std::error_code error;
  std::ifstream file;
  if (fs::is_regular_file(path, error)) file.open(path, std::ios::binary);
  if (!file.is_open()) throw UsageError(fmt::format("{}: cannot be read", path));
  std::string text;
  for (int number = 1; std::getline(file, text); ++number) {
    const bool whole = !file.eof();
    Json line = whole ? Json::parse(text, nullptr, false) : Json(Json::value_t::discarded);
    if (line.is_discarded() || !line.is_object()) {
      if (!whole || file.peek() == std::ifstream::traits_type::eof()) return true;
      throw UsageError(fmt::format("{}:{}: is damaged in the middle", path, number));
    }
    expect_schema(line, fmt::format("{}:{}", path, number));
    try {
      use(line);
    } catch (const UsageError&) {
      throw;
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& wrong) {
      throw UsageError(fmt::format("{}:{}: is damaged: {}", path, number, wrong.what()));
    }
  }
  return false;
}

/// Absolute and without a slash at its end; as it is where the working directory is gone.
fs::path whole_path(const std::string& directory) {
  std::error_code error;
  fs::path path = fs::absolute(directory, error);
  if (error) path = directory;
  path = path.lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

std::string name_of(const std::string& directory) { return whole_path(directory).filename(); }

/// False also where its manifest cannot be read: another run can be.
bool is_finished(const std::string& run) {
  try {
    return read_document(run + "/manifest.json").value("finished", false);
  } catch (const std::exception&) {
    return false;
  }
}

/// PATH, the newest finished run in PATH, or the same under results/.
std::string find_run(const std::string& path) {
  std::string unfinished;
  std::error_code error;
  // What cannot be looked at is no run.
  const auto is_run = [&error](const fs::path& place) {
    return fs::exists(place / "manifest.json", error);
  };
  for (const std::string& place : {path, "results/" + path}) {
    if (is_run(place)) return place;
    std::vector<std::string> runs;
    std::error_code end_of_list;
    for (fs::directory_iterator entry(place, end_of_list), end; !end_of_list && entry != end;
         entry.increment(end_of_list)) {
      if (entry->path().extension() != kPartSuffix && is_run(entry->path()))
        runs.push_back(entry->path());
    }
    std::sort(runs.rbegin(), runs.rend());  // names begin with the time
    if (!runs.empty() && name_of(place) == kBaselines) {
      std::string names;
      for (const std::string& run : runs) names += "\n  " + run;
      throw UsageError(fmt::format("{}: holds baselines; name one of them:{}", path, names));
    }
    for (const std::string& run : runs) {
      if (is_finished(run)) return run;
    }
    if (!runs.empty() && unfinished.empty()) unfinished = runs.front();
  }
  if (!unfinished.empty()) {
    throw UsageError(
        fmt::format("{}: holds no finished run; name an unfinished one itself to read it: {}", path,
                    unfinished));
  }
  throw UsageError(fmt::format(
      "{}: is not a run's directory (it has no manifest.json); `precipice run` prints where its "
      "files are",
      path));
}

std::string run_name(const std::string& directory) {
  const fs::path path = whole_path(directory);
  return (path.parent_path().filename() / path.filename()).string();
}

/// Gathers the cells of a journal as its lines come.
class Reader {
 public:
  explicit Reader(Plan& plan) : plan_(plan) {}

  void take(const Json& line) {
    if (line.value("kind", "") == "calibration") {
      const CalibrationRecord record = calibration_from_json(line);
      service_[record.workload].emplace(record.block, record.calibration);
      return;
    }
    Record record = record_from_json(line);
    if (plan_.model_cpus.empty()) {
      plan_.model_cpus = record.trial.request.model_cpus;
      plan_.generator_cpus = record.trial.request.generator_cpus;
    }
    plan_.clock = record.trial.request.clock;
    Gathered& cell = cells_[{record.series, record.workload}];
    CellSummary& summary = cell.summary;
    summary.slo_ns = record.slo_ns;
    const auto [place, first] = cell.place.emplace(probe_of(record.key), summary.evidence.size());
    Point point = point_of(record);
    if (first) {
      summary.evidence.push_back(std::move(point));
    } else {
      summary.evidence[place->second] = std::move(point);
    }
    count_trial(summary, std::move(record));
  }

  CampaignResult finish(const Json& manifest, const Json& summary) {
    CampaignResult result;
    if (const auto done = manifest.find("blocks_done"); done != manifest.end()) {
      constexpr std::uint64_t kMostBlocks = 1000;  // of a suite
      if (!done->is_number_unsigned() || done->get<std::uint64_t>() > kMostBlocks)
        throw UsageError("manifest.json: is damaged: blocks_done is not a number of blocks");
      result.blocks_done = done->get<int>();
    }
    result.interrupted = summary.value("interrupted", !manifest.value("finished", false));
    result.service_by_block = service_;
    for (const auto& [workload, blocks] : service_) {
      if (const auto first = blocks.find(0); first != blocks.end())
        result.service[workload] = first->second;
    }
    for (const Spec& workload : plan_.workloads) {
      for (const Spec& model : plan_.models) add(model, workload, summary, result);
    }
    return result;
  }

 private:
  struct Gathered {
    CellSummary summary;
    std::map<std::string, std::size_t> place;  ///< of a probe in the evidence
  };

  static Json row_of(const Json& summary, const std::string& series, const std::string& workload) {
    const auto cells = summary.find("cells");
    if (cells == summary.end()) return nullptr;
    for (const Json& row : *cells) {
      if (row.value("series", "") == series && row.value("workload", "") == workload) return row;
    }
    return nullptr;
  }

  void add(const Spec& model, const Spec& workload, const Json& summary, CampaignResult& result) {
    const std::string series = model.to_string(), work = workload.to_string();
    const auto found = cells_.find({series, work});
    const Json row = row_of(summary, series, work);
    if (found == cells_.end() && row.is_null()) return;  // not of this run
    CellSummary& cell = result.cells.emplace_back();
    if (found != cells_.end()) cell = std::move(found->second.summary);
    // A cell that never ran has left no trial, so why is only in the summary.
    const std::string failure = row.is_null() ? "" : row.value("failure", "");
    const std::string note = row.is_null() ? "" : row.value("note", "");
    cell.model = model;
    cell.workload = workload;
    cell.slo_percentile = plan_.slo_of(workload).percentile;
    const bool never_ran = !failure.empty() && cell.trials == 0;  // as older runs tell it
    if (cell.failure.empty())
      cell.lacking = never_ran || (!row.is_null() && row.value("lacking", false));
    if (cell.failure.empty()) cell.failure = failure;
    if (cell.note.empty()) cell.note = note;
    if (const auto reference = reference_service(model, workload, result.service))
      cell.service_time_ns = reference->mean_ns;
    if (cell.failure.empty() && !cell.evidence.empty())
      summarise_cell(plan_, result.service_by_block[service_key(model, workload)],
                     ideal_of(plan_, cell), cell);
    else if (!cell.lacking)
      cell.indicative = indicative(plan_, cell);
  }

  Plan& plan_;
  std::map<std::string, std::map<int, Calibration>> service_;
  std::map<std::pair<std::string, std::string>, Gathered> cells_;
};

}  // namespace

RunArchive open_run(const std::string& path) try {
  RunArchive run;
  run.directory = find_run(path);
  run.name = run_name(run.directory);
  const Json manifest = read_document(run.directory + "/manifest.json");
  const std::string suite = run.directory + "/suite.toml";
  run.plan = parse_suite(read_file(suite), suite, SuiteUse::read);
  run.manifest = std::make_shared<const Json>(manifest);
  run.environment_before =
      std::make_shared<const Json>(read_if_there(run.directory + "/environment.before.json"));
  run.environment_after =
      std::make_shared<const Json>(read_if_there(run.directory + "/environment.after.json"));
  expect_types(run.directory, manifest, *run.environment_before, *run.environment_after);
  Reader reader(run.plan);
  const bool torn =
      for_each_line(run.directory + "/journal.jsonl", [&](const Json& line) { reader.take(line); });
  run.result = reader.finish(manifest, read_if_there(run.directory + "/summary.json"));
  if (!manifest.value("finished", false)) run.remark = run.name + " is unfinished";
  if (torn)
    run.remark += (run.remark.empty() ? run.name + ": " : "; ") +
                  std::string("the journal's last line is torn and left out");
  return run;
} catch (const Json::exception& wrong) {
  throw UsageError(fmt::format("{}: is damaged: {}", path, wrong.what()));
}

void for_each_trial(const std::string& directory, const std::function<void(const Record&)>& use) {
  for_each_line(directory + "/journal.jsonl", [&](const Json& line) {
    if (line.value("kind", "") == "trial") use(record_from_json(line));
  });
}

}  // namespace precipice
