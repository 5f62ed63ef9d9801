#include "harness/store/run_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <new>
#include <nlohmann/json.hpp>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/record.hpp"
#include "harness/host/build_info.hpp"
#include "harness/json.hpp"
#include "harness/store/journal_index.hpp"
#include "harness/store/part_directory.hpp"
#include "harness/store/record_json.hpp"
#include "harness/store/summary_files.hpp"
#include "harness/trial/trace_file.hpp"
#include "models/options.hpp"

namespace precipice {
namespace {

namespace fs = std::filesystem;

std::string now_text(const char* format) {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[64];
  text[std::strftime(text, sizeof text, format, &utc)] = '\0';
  return text;
}

double now_s() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// Under `parent`, newest first: the names begin with the time.
std::vector<std::string> run_directories(const std::string& parent) {
  std::vector<std::string> found;
  std::error_code error;
  for (fs::directory_iterator entry(parent, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code unseen;
    if (entry->path().extension() != kPartSuffix &&
        fs::exists(entry->path() / "manifest.json", unseen))
      found.push_back(entry->path());
  }
  std::sort(found.rbegin(), found.rend());
  return found;
}

/// What a manifest says of whose run it is.
struct Head {
  bool damaged = true;
  int schema = 0;
  bool finished = false;
  std::string suite_hash, binary_hash;
  std::map<std::string, std::string> circumstances;
};

Json manifest_of(const std::string& directory) {
  return Json::parse(read_file(directory + "/manifest.json"));
}

/// Of the fields that a continuation reads or adds to, the types.
bool can_be_continued(const Json& manifest) {
  constexpr double kFastest = 1e9;  // an iteration takes a nanosecond or so, not a femtosecond
  const auto is = [&manifest](const char* key, auto good) {
    const auto found = manifest.find(key);
    return found == manifest.end() || good(*found);
  };
  return is("suite", [](const Json& value) { return value.is_string(); }) &&
         is("continued", [](const Json& value) { return value.is_array(); }) &&
         is("cpu_iterations_per_us", [](const Json& value) {
           return value.is_number() && value.get<double>() > 0 && value.get<double>() < kFastest;
         });
}

Head head_of(const std::string& directory) {
  Head head;
  try {
    const Json manifest = manifest_of(directory);
    head.schema = manifest.at("schema").get<int>();
    head.finished = manifest.at("finished").get<bool>();
    head.suite_hash = manifest.at("suite_hash").get<std::string>();
    head.binary_hash = manifest.at("binary_hash").get<std::string>();
    head.circumstances = manifest.value("circumstances", std::map<std::string, std::string>());
    head.damaged = !head.finished && !can_be_continued(manifest);
  } catch (const std::exception&) {
    // stays damaged
  }
  return head;
}

/// What differs from when the run was begun, as a sentence's part, or "".
std::string other_circumstances(const Head& head, const RunIdentity& identity) {
  for (const auto& [what, is] : identity.circumstances) {
    const auto found = head.circumstances.find(what);
    const std::string was = found == head.circumstances.end() ? "not recorded" : found->second;
    if (was != is) return fmt::format("{} was \"{}\" and is \"{}\"", what, was, is);
  }
  return "";
}

}  // namespace

Store::Store(std::string directory)
    : directory_(std::move(directory)),
      journal_(std::make_unique<JournalIndex>(directory_ + "/journal.jsonl")),
      under_way_(std::make_unique<CrashMarker>(directory_ + "/under_way")),
      manifest_(std::make_unique<Json>()) {
  if (!journal_->locked())
    add_remark(
        fmt::format("{} is on a file system without locks: see to it yourself that no other "
                    "precipice continues this run",
                    directory_));
}

Store::~Store() = default;

void Store::add_remark(const std::string& text) {
  if (text.empty()) return;
  if (!remark_.empty()) remark_ += "; ";
  remark_ += text;
}

std::unique_ptr<Store> Store::open(const std::string& root, const RunIdentity& identity,
                                   bool fresh) {
  const std::string parent = (fs::path(root) / identity.suite).string();
  make_directories(parent);
  remove_abandoned_parts(parent);
  std::string left;
  for (const std::string& directory :
       fresh ? std::vector<std::string>() : run_directories(parent)) {
    const Head head = head_of(directory);
    if (head.damaged) {
      left = fmt::format(
          "{}/manifest.json is damaged, so that run is not continued; its journal is as it was",
          directory);
      continue;
    }
    if (head.suite_hash != identity.suite_hash) continue;
    if (head.binary_hash != identity.binary_hash) {
      if (!head.finished && left.empty()) {
        left = fmt::format(
            "{} is unfinished, but another build began it{}: not continued, so as not to mix the "
            "two",
            directory,
            head.schema == kSchema ? "" : fmt::format(", which writes schema {}", head.schema));
      }
      continue;
    }
    if (head.finished) break;
    if (const std::string other = other_circumstances(head, identity); !other.empty()) {
      if (left.empty()) {
        left = fmt::format("{} is unfinished, but {}: not continued, so as not to mix the two",
                           directory, other);
      }
      continue;
    }
    if (head.schema != kSchema) {
      throw UsageError(fmt::format(
          "{}: is an unfinished run of schema {}, and this program continues schema {}; finish it "
          "with the program that began it, or begin a new run with --fresh",
          directory, head.schema, kSchema));
    }
    std::unique_ptr<Store> store = continued(directory);
    if (store == nullptr) break;
    store->add_remark(left);
    return store;
  }

  std::unique_ptr<Store> store = begun(parent, identity);
  store->add_remark(left);
  return store;
}

std::unique_ptr<Store> Store::continued(const std::string& directory) {
  std::unique_ptr<Store> store(new Store(directory));
  // Again, now that nobody else writes it: another process may have finished it meanwhile.
  if (head_of(directory).finished) return nullptr;
  remove_abandoned_parts(directory);
  *store->manifest_ = manifest_of(directory);
  store->add_remark(store->journal_->load());
  store->add_remark(store->under_way_->last_death());
  (*store->manifest_)["continued"].push_back(now_text("%FT%TZ"));
  store->write_manifest();
  return store;
}

std::unique_ptr<Store> Store::begun(const std::string& parent, const RunIdentity& identity) {
  const std::string base =
      fmt::format("{}/{}-{}", parent, now_text("%Y%m%dT%H%M%SZ"), identity.git_sha);
  std::string directory = base;
  auto next_name = [&, n = 1]() mutable { directory = fmt::format("{}-{}", base, ++n); };
  std::unique_ptr<PartDirectory> part;
  while ((part = PartDirectory::make(directory)) == nullptr) next_name();

  Json circumstances = Json::object();
  for (const auto& [what, value] : identity.circumstances) circumstances[what] = value;
  const Json manifest = {{"schema", kSchema},
                         {"suite", identity.suite},
                         {"suite_hash", identity.suite_hash},
                         {"finished", false},
                         {"started", now_text("%FT%TZ")},
                         {"continued", Json::array()},
                         {"argv", identity.argv},
                         {"seed", identity.seed},
                         {"git_sha", identity.git_sha},
                         {"binary_hash", identity.binary_hash},
                         {"circumstances", std::move(circumstances)}};
  replace_file(part->path() + "/suite.toml", identity.suite_toml);
  if (!identity.trace.empty()) replace_file(part->path() + "/" + kTraceName, identity.trace);
  replace_file(part->path() + "/manifest.json", json_text(manifest, 2) + "\n");
  while (!part->take_name(directory)) next_name();

  std::unique_ptr<Store> store(new Store(directory));
  *store->manifest_ = manifest;
  return store;
}

std::optional<Record> Store::find(const std::string& key) const {
  if (!journal_->contains(key)) return std::nullopt;
  const std::string line = journal_->line(key);
  try {
    return record_from_json(Json::parse(line));
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& wrong) {
    throw not_a_record(key, wrong.what());
  }
}

std::optional<CalibrationRecord> Store::find_calibration(const std::string& key) const {
  if (!journal_->contains(kCalibration + key)) return std::nullopt;
  const std::string line = journal_->line(kCalibration + key);
  try {
    return calibration_from_json(Json::parse(line));
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& wrong) {
    throw not_a_record(key, wrong.what());
  }
}

UsageError Store::not_a_record(const std::string& key, const char* why) const {
  return UsageError(
      fmt::format("{}: the line of \"{}\" is damaged ({}); begin a new run with "
                  "--fresh",
                  journal_->path(), key, why));
}

void Store::keep(const Record& record) {
  if (journal_->contains(record.key)) return;
  Json json = to_json(record);
  if (record.at_s == 0) json["at_s"] = now_s();
  journal_->append(record.key, json_text(json));
  under_way_->end();
}

void Store::keep(const CalibrationRecord& record) {
  const std::string key = kCalibration + record.key;
  if (!journal_->contains(key)) journal_->append(key, json_text(to_json(record)));
  under_way_->end();
}

double Store::cpu_iterations_per_us(double measured) {
  const auto kept = manifest_->find("cpu_iterations_per_us");
  if (kept != manifest_->end()) return kept->get<double>();
  (*manifest_)["cpu_iterations_per_us"] = measured;
  write_manifest();
  return measured;
}

void Store::environment(const std::string& which, const Json& environment) {
  const std::string path = fmt::format("{}/environment.{}.json", directory_, which);
  std::error_code error;
  if (which == "before" && fs::exists(path, error)) return;
  replace_file(path, json_text(environment, 2) + "\n");
}

Json Store::environment_before() const {
  try {
    return Json::parse(read_file(directory_ + "/environment.before.json"), nullptr, false);
  } catch (const UsageError&) {
    return nullptr;
  }
}

void Store::write_manifest() {
  replace_file(directory_ + "/manifest.json", json_text(*manifest_, 2) + "\n");
}

void Store::finish(const CampaignResult& result) {
  Replacement points(directory_ + "/points.csv");
  points.write(points_header() + "\n");
  for (const std::string& key : journal_->order()) {
    if (!key.starts_with(kCalibration)) points.write(points_row(*find(key)) + "\n");
  }
  points.commit();
  const std::string suite = manifest_->value("suite", std::string());
  replace_file(directory_ + "/summary.json", json_text(summary_json(suite, result), 2) + "\n");
  replace_file(directory_ + "/summary.csv", summary_csv(result));
  Json& manifest = *manifest_;
  manifest["finished"] = !result.interrupted && !result.out_of_budget;
  manifest["ended"] = now_text("%FT%TZ");
  manifest["blocks_done"] = result.blocks_done;
  manifest["order"] = journal_->order();
  write_manifest();
}

}  // namespace precipice
