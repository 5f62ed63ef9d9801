// A run's directory read back: the same figures as the run itself had, from the journal alone.
#include "harness/store/run_reader.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/record.hpp"
#include "harness/capacity/summarise_cell.hpp"
#include "harness/cli/campaign_hosts.hpp"
#include "harness/host/build_info.hpp"
#include "harness/json.hpp"
#include "harness/store/suite.hpp"
#include "harness/store/summary_files.hpp"
#include "harness/trial/simulated_trial.hpp"
#include "models/options.hpp"

namespace precipice {
namespace {

namespace fs = std::filesystem;

/// Every trial on the virtual clock, kept in a real journal.
class JournalledHost final : public CampaignHost {
 public:
  explicit JournalledHost(Store& store) : store_(store) {}
  Trial measure(const TrialRequest& request) override { return simulate_trial(request); }
  Calibration calibrate(const Spec&, const CpuSet&) override { return {}; }
  std::optional<Record> find(const std::string& key) override { return store_.find(key); }
  std::optional<CalibrationRecord> find_calibration(const std::string& key) override {
    return store_.find_calibration(key);
  }
  void keep(const Record& record) override { store_.keep(record); }
  void keep(const CalibrationRecord& record) override { store_.keep(record); }

 private:
  Store& store_;
};

class RunArchiveTest : public ::testing::Test {
 protected:
  RunArchiveTest() : root_(fs::temp_directory_path() / ("archive-" + std::to_string(getpid()))) {
    plan_ = parse_suite(R"toml(
schema = 1
name = "queues"
seed = 7
blocks = 3
[load]
window = "1s"
[search]
refine = [0.9, 1.0, 1.1]
[[model]]
use = "oracle"
servers = [1, 2]
mean = "1ms"
service = "exponential"
[[workload]]
use = "empty"
[[claim]]
say = "two servers carry more"
that = "saturation(oracle.servers=2, empty) > 1.5 * saturation(oracle.servers=1, empty)"
)toml",
                        "queues.toml");
    plan_.clock = ClockKind::virtual_time;
    plan_.virtual_requests = 2000;
    plan_.generator_cpus = CpuSet::parse("0");
    plan_.model_cpus = CpuSet::parse("1");
  }
  ~RunArchiveTest() override { fs::remove_all(root_); }

  CampaignResult run() {
    const auto store = Store::open(root_,
                                   {.suite = plan_.name,
                                    .suite_hash = plan_hash(plan_),
                                    .suite_toml = to_toml(plan_),
                                    .seed = plan_.seed,
                                    .git_sha = "abc",
                                    .binary_hash = "b",
                                    .argv = {"precipice"}},
                                   true);
    directory_ = store->directory();
    JournalledHost host(*store);
    CampaignResult result = run_campaign(plan_, host);
    store->finish(result);
    return result;
  }

  const fs::path root_;
  Plan plan_;
  std::string directory_;
};

TEST_F(RunArchiveTest, GivesTheSameSummaryAsTheRunItself) {
  const CampaignResult measured = run();
  const RunArchive read = open_run(directory_);
  EXPECT_EQ(summary_json("queues", read.result).dump(1), summary_json("queues", measured).dump(1));
  ASSERT_EQ(read.result.cells.size(), 2U);
  EXPECT_EQ(read.result.cells[0].evidence.size(), measured.cells[0].evidence.size());
  EXPECT_EQ(read.plan.claims.size(), 1U);
  EXPECT_EQ(read.remark, "");
  EXPECT_EQ(read.name, "queues/" + fs::path(directory_).filename().string());
}

TEST_F(RunArchiveTest, SaysOnceWhatASummarySaysAlready) {
  // A cell that is read back has the note of its row in the summary, and is summarised again.
  CellSummary cell = run().cells[0];
  const std::map<int, Calibration> throttled = {{0, Calibration{.valid = false}}};
  summarise_cell(plan_, throttled, std::nullopt, cell);
  const std::string note = cell.note;
  EXPECT_NE(note.find("throttled"), std::string::npos);
  summarise_cell(plan_, throttled, std::nullopt, cell);
  EXPECT_EQ(cell.note, note);
}

TEST_F(RunArchiveTest, FindsTheNewestFinishedRunOfASuite) {
  run();
  EXPECT_EQ(open_run((root_ / "queues").string()).name,
            "queues/" + fs::path(directory_).filename().string());
}

TEST_F(RunArchiveTest, PassesOverWhatCannotBeLookedAt) {
  run();
  const fs::path suite = root_ / "queues";
  fs::create_symlink("zz-loop", suite / "zz-loop");
  fs::create_symlink("nowhere", suite / "zz-dangling");
  fs::create_directories(suite / "zz-damaged");
  std::ofstream(suite / "zz-damaged" / "manifest.json") << "{";
  fs::create_directories(suite / "zz.part");
  std::ofstream(suite / "zz.part" / "manifest.json") << R"({"finished": true})";
  EXPECT_EQ(open_run(suite.string()).name, "queues/" + fs::path(directory_).filename().string());
  for (const std::string& wrong : {(suite / "zz-loop").string(), (suite / "zz-dangling").string(),
                                   std::string(300, 'a'), std::string(5000, '/') + "a"})
    EXPECT_THROW(open_run(wrong), UsageError) << wrong;
}

TEST_F(RunArchiveTest, DoesNotWaitForWhatIsNoFile) {
  run();
  for (const char* name : {"journal.jsonl", "summary.json", "manifest.json"}) {
    fs::remove(fs::path(directory_) / name);
    ASSERT_EQ(mkfifo((directory_ + "/" + name).c_str(), 0644), 0);
    EXPECT_THROW(open_run(directory_), UsageError) << name;
  }
}

TEST_F(RunArchiveTest, RefusesFieldsOfAnotherType) {
  run();
  const std::string manifest = read_file(directory_ + "/manifest.json");
  for (const char* field : {"git_sha", "started", "ended", "argv"}) {
    Json other = Json::parse(manifest);
    other[field] = 7;
    replace_file(directory_ + "/manifest.json", other.dump());
    EXPECT_THROW(open_run(directory_), UsageError) << field;
  }
  replace_file(directory_ + "/manifest.json", manifest);
  for (const char* environment :
       {R"({"build": []})", R"({"memory": {"MemTotal_bytes": "many"}})", R"({"cpu": "Xeon"})"}) {
    replace_file(directory_ + "/environment.before.json", environment);
    EXPECT_THROW(open_run(directory_), UsageError) << environment;
  }
}

TEST_F(RunArchiveTest, BaselinesAreNoRunsOfASuite) {
  fs::create_directories(root_ / "baselines" / "main");
  std::ofstream(root_ / "baselines" / "main" / "manifest.json") << R"({"finished": true})";
  try {
    open_run((root_ / "baselines").string());
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("baselines/main"), std::string::npos) << error.what();
  }
}

TEST_F(RunArchiveTest, LeavesATornLastLineOut) {
  run();
  const std::size_t whole = [&] {
    std::size_t trials = 0;
    for_each_trial(directory_, [&](const Record&) { ++trials; });
    return trials;
  }();
  const fs::path journal = fs::path(directory_) / "journal.jsonl";
  fs::resize_file(journal, fs::file_size(journal) - 20);
  std::size_t trials = 0;
  for_each_trial(directory_, [&](const Record&) { ++trials; });
  EXPECT_EQ(trials, whole - 1);
  EXPECT_NE(open_run(directory_).remark.find("torn"), std::string::npos);
}

TEST_F(RunArchiveTest, RefusesDamageAndOtherSchemasByName) {
  run();
  const auto refusal = [&] {
    try {
      open_run(directory_);
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const fs::path journal = fs::path(directory_) / "journal.jsonl";
  std::string text;
  {
    std::ifstream file(journal);
    text.assign(std::istreambuf_iterator<char>(file), {});
  }
  std::ofstream(journal) << "{\"schema\":1,\n" << text;
  EXPECT_NE(refusal().find("journal.jsonl:1: is damaged"), std::string::npos) << refusal();
  std::ofstream(journal) << "{\"schema\":0,\"kind\":\"trial\"}\n" << text;
  EXPECT_NE(refusal().find("is of schema 0, and this program reads schema 1"), std::string::npos)
      << refusal();
  EXPECT_THROW(open_run((root_ / "nowhere").string()), UsageError);
}

}  // namespace
}  // namespace precipice
