#include "harness/store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/summary_files.hpp"
#include "models/options.hpp"

namespace precipice {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCalibration = "calibration ";

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
    if (fs::exists(entry->path() / "manifest.json")) found.push_back(entry->path());
  }
  std::sort(found.rbegin(), found.rend());
  return found;
}

/// Empty when another run took the name first.
bool make_new_directory(const std::string& path) {
  std::error_code error;
  const bool made = fs::create_directory(path, error);
  if (error) throw CannotWrite(path, error.value());
  return made;
}

}  // namespace

Store::Store(std::string directory, std::unique_ptr<AppendFile> journal)
    : directory_(std::move(directory)),
      journal_(std::move(journal)),
      manifest_(std::make_unique<Json>()) {}

Store::~Store() = default;

std::unique_ptr<Store> Store::open(const std::string& root, const RunIdentity& identity,
                                   bool fresh) {
  const std::string parent = (fs::path(root) / identity.suite).string();
  make_directories(parent);
  std::string remark;
  for (const std::string& directory :
       fresh ? std::vector<std::string>() : run_directories(parent)) {
    Json manifest;
    try {
      manifest = Json::parse(read_file(directory + "/manifest.json"));
    } catch (const std::exception&) {
      continue;  // not a run of this program
    }
    if (manifest.value("finished", true) ||
        manifest.value("suite_hash", std::string()) != identity.suite_hash) {
      continue;
    }
    if (manifest.value("schema", 0) != kSchema) {
      throw UsageError(fmt::format(
          "{}: is an unfinished run of schema {}, and this program continues schema {}; finish it "
          "with the program that began it, or begin a new run with --fresh",
          directory, manifest.value("schema", 0), kSchema));
    }
    if (manifest.value("binary_hash", std::string()) != identity.binary_hash) {
      remark = fmt::format(
          "{} is unfinished, but another build began it: not continued, so as not to mix the two",
          directory);
      break;
    }
    std::unique_ptr<Store> store(
        new Store(directory, std::make_unique<AppendFile>(directory + "/journal.jsonl")));
    *store->manifest_ = std::move(manifest);
    store->load_journal();
    (*store->manifest_)["continued"].push_back(now_text("%FT%TZ"));
    store->write_manifest();
    return store;
  }

  const std::string base =
      fmt::format("{}/{}-{}", parent, now_text("%Y%m%dT%H%M%SZ"), identity.git_sha);
  std::string directory = base;
  for (int n = 2; !make_new_directory(directory); ++n) directory = fmt::format("{}-{}", base, n);
  std::unique_ptr<Store> store(
      new Store(directory, std::make_unique<AppendFile>(directory + "/journal.jsonl")));
  *store->manifest_ = {{"schema", kSchema},
                       {"suite", identity.suite},
                       {"suite_hash", identity.suite_hash},
                       {"finished", false},
                       {"started", now_text("%FT%TZ")},
                       {"continued", Json::array()},
                       {"argv", identity.argv},
                       {"seed", identity.seed},
                       {"git_sha", identity.git_sha},
                       {"binary_hash", identity.binary_hash}};
  store->remark_ = std::move(remark);
  replace_file(directory + "/suite.toml", identity.suite_toml);
  store->write_manifest();
  return store;
}

void Store::load_journal() {
  const std::string text = read_file(journal_->path());
  std::uint64_t offset = 0;
  int line_number = 0;
  while (offset < text.size()) {
    ++line_number;
    const std::size_t end = text.find('\n', offset);
    const bool last = end == std::string::npos || end + 1 == text.size();
    const std::uint64_t length = (end == std::string::npos ? text.size() : end) - offset;
    // A line without its newline is torn even when what is there happens to parse.
    Json line = end == std::string::npos
                    ? Json(Json::value_t::discarded)
                    : Json::parse(text.begin() + static_cast<std::ptrdiff_t>(offset),
                                  text.begin() + static_cast<std::ptrdiff_t>(offset + length),
                                  nullptr, false);
    if (line.is_discarded() || !line.is_object()) {
      if (!last) {
        throw UsageError(fmt::format(
            "{}:{}: is damaged in the middle, so this run cannot be continued; begin a new one "
            "with --fresh",
            journal_->path(), line_number));
      }
      journal_->cut(offset);
      remark_ = fmt::format("the last line of {} was torn and is measured again", journal_->path());
      return;
    }
    if (line.value("schema", 0) != kSchema) {
      throw UsageError(
          fmt::format("{}:{}: is of schema {}, and this program continues schema {}; "
                      "begin a new run with --fresh",
                      journal_->path(), line_number, line.value("schema", 0), kSchema));
    }
    const bool calibration = line.value("kind", "") == "calibration";
    std::string key = (calibration ? kCalibration : "") + line.value("key", std::string());
    if (lines_.emplace(key, std::make_pair(offset, length)).second) order_.push_back(key);
    if (!calibration) ++recovered_;
    offset += length + 1;
  }
}

std::string Store::line_at(std::pair<std::uint64_t, std::uint64_t> place) const {
  std::ifstream file(journal_->path(), std::ios::binary);
  std::string line(place.second, '\0');
  file.seekg(static_cast<std::streamoff>(place.first));
  if (!file.read(line.data(), static_cast<std::streamsize>(line.size())))
    throw std::runtime_error(fmt::format("cannot read back {}", journal_->path()));
  return line;
}

std::optional<Record> Store::find(const std::string& key) const {
  const auto found = lines_.find(key);
  if (found == lines_.end()) return std::nullopt;
  return record_from_json(Json::parse(line_at(found->second)));
}

std::optional<CalibrationRecord> Store::find_calibration(const std::string& key) const {
  const auto found = lines_.find(kCalibration + key);
  if (found == lines_.end()) return std::nullopt;
  return calibration_from_json(Json::parse(line_at(found->second)));
}

void Store::append(const std::string& key, const std::string& line) {
  const std::uint64_t offset = journal_->size();
  journal_->append(line);
  lines_.emplace(key, std::make_pair(offset, line.size()));
  order_.push_back(key);
}

void Store::keep(const Record& record) {
  if (lines_.contains(record.key)) return;
  Json json = to_json(record);
  if (record.at_s == 0) json["at_s"] = now_s();
  append(record.key, json.dump());
}

void Store::keep(const CalibrationRecord& record) {
  const std::string key = kCalibration + record.key;
  if (!lines_.contains(key)) append(key, to_json(record).dump());
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
  if (which == "before" && fs::exists(path)) return;
  replace_file(path, environment.dump(2) + "\n");
}

void Store::write_manifest() {
  replace_file(directory_ + "/manifest.json", manifest_->dump(2) + "\n");
}

void Store::finish(const CampaignResult& result) {
  std::string points = points_header() + "\n";
  for (const std::string& key : order_) {
    if (!key.starts_with(kCalibration)) points += points_row(*find(key)) + "\n";
  }
  replace_file(directory_ + "/points.csv", points);
  const std::string suite = manifest_->value("suite", std::string());
  replace_file(directory_ + "/summary.json", summary_json(suite, result).dump(2) + "\n");
  replace_file(directory_ + "/summary.csv", summary_csv(result));
  Json& manifest = *manifest_;
  manifest["finished"] = !result.interrupted && !result.out_of_budget;
  manifest["ended"] = now_text("%FT%TZ");
  manifest["blocks_done"] = result.blocks_done;
  manifest["order"] = order_;
  write_manifest();
}

}  // namespace precipice
