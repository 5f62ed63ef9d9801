#include "harness/store/run_store.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/point.hpp"
#include "harness/capacity/record.hpp"
#include "harness/host/build_info.hpp"
#include "harness/json.hpp"
#include "harness/store/histogram_json.hpp"
#include "harness/store/record_json.hpp"
#include "models/options.hpp"

namespace precipice {
namespace {

namespace fs = std::filesystem;

class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "precipice-store-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { fs::remove_all(root_); }

  std::unique_ptr<Store> open(bool fresh = false, const std::string& hash = "cafe") {
    return Store::open(root_,
                       {.suite = "suite",
                        .suite_hash = hash,
                        .suite_toml = "schema = 1\n",
                        .seed = 1,
                        .git_sha = "abc1234",
                        .binary_hash = "b",
                        .argv = {"precipice", "run"}},
                       fresh);
  }
  static std::string journal_of(const Store& store) { return store.directory() + "/journal.jsonl"; }
  static void edit_manifest(const Store& store, const char* key, const Json& value) {
    const std::string path = store.directory() + "/manifest.json";
    Json manifest = Json::parse(read_file(path));
    manifest[key] = value;
    replace_file(path, manifest.dump());
  }

  std::string root_;
};

TEST_F(StoreTest, KeepsAManifestWhoseArgumentsAreNoUtf8) {
  const auto store = Store::open(root_,
                                 {.suite = "suite",
                                  .suite_hash = "cafe",
                                  .suite_toml = "schema = 1\n",
                                  .seed = 1,
                                  .git_sha = "abc1234",
                                  .binary_hash = "b",
                                  .argv = {"precipice", "run", "r\xe9sultats"}},
                                 true);
  EXPECT_EQ(store->cpu_iterations_per_us(123), 123);  // which writes the manifest again
  const Json manifest = Json::parse(read_file(store->directory() + "/manifest.json"));
  EXPECT_EQ(manifest.at("argv").at(2), "r\xef\xbf\xbdsultats");
}

Record sample(const std::string& key) {
  Record record;
  record.key = key;
  record.series = "fixed_pool:threads=8";
  record.workload = "cpu:dist=bimodal(0.9,1,10)";
  record.phase = Phase::grid;
  record.block = 2;
  record.attempt = 3;
  record.used = true;
  record.slo_ns = 5e6;
  Trial& t = record.trial;
  t.request.model = {"fixed_pool", {{"threads", "8"}}};
  t.request.workload = {"cpu", {{"dist", "bimodal(0.9,1,10)"}}};
  t.request.rate_per_s = 1234.5;
  t.request.arrivals = Arrivals::parse("bursts(1ms,2ms)");
  t.request.seed = 77;
  t.request.slo = std::chrono::milliseconds(5);
  t.request.model_cpus = CpuSet({1, 900});
  t.offered_per_s = 1230.25;
  t.goodput_per_s = 1200.125;
  t.counts = {.scheduled = 100,
              .sent = 99,
              .unsent = 1,
              .completed = 90,
              .failed = 4,
              .shed = 3,
              .unfinished = 2};
  t.refusals["limit"] = 3;
  t.errors[110] = 4;
  t.response = {.mean = 1.5, .p50 = 1, .p90 = 2, .p95 = 3, .p99 = 4, .p999 = 5, .max = 6};
  t.slo_percentile_ns = 4;
  for (int i = 1; i < 1000; ++i) t.response_histogram.record(i * i * 1000);
  t.response_histogram.record(Histogram::kHighest * 2, 7);
  t.slices.assign(3, t.response_histogram);
  t.cpu_model_ns = std::nan("");
  t.checksum = 0xfedcba9876543210;
  t.stable = true;
  t.valid = false;
  t.backend_busy = 0.5;
  t.invalid_reasons.push_back({Cause::host, TrialGate::stall, "a stall of 3 ms, \"quoted\""});
  t.model_stats = {{"threads", 8}};
  return record;
}

TEST_F(StoreTest, ARunOfOtherCircumstancesIsNotContinuedAndTheyAreNamed) {
  const auto begun_on = [&](const std::string& machine) {
    RunIdentity identity;
    identity.suite = "suite";
    identity.suite_hash = "cafe";
    identity.git_sha = "abc1234";
    identity.binary_hash = "b";
    identity.circumstances = {{"the machine", machine}};
    return Store::open(root_, identity, false);
  };
  const std::string first = begun_on("Xeon")->directory();
  EXPECT_EQ(begun_on("Xeon")->directory(), first);
  const std::unique_ptr<Store> second = begun_on("EPYC");
  EXPECT_NE(second->directory(), first);
  EXPECT_NE(second->remark().find("the machine was \"Xeon\" and is \"EPYC\""), std::string::npos)
      << second->remark();
}

TEST_F(StoreTest, KeepsTheTraceOfItsSuite) {
  RunIdentity identity;
  identity.suite = "suite";
  identity.trace = "0\n1\n";
  const std::unique_ptr<Store> store = Store::open(root_, identity, false);
  EXPECT_EQ(read_file(store->directory() + "/trace.txt"), "0\n1\n");
}

TEST_F(StoreTest, RemovesWhatAKilledStartHasLeftAndPassesOverWhatItCannotLookAt) {
  const std::string first = open()->directory();
  const std::string half = root_ + "/suite/20260101T000000Z-abc.part";
  fs::create_directories(half);
  std::ofstream(half + "/manifest.json") << "{";
  std::ofstream(first + "/summary.json.part") << "{";
  fs::create_symlink("loop", root_ + "/suite/loop");
  fs::create_symlink("nowhere", root_ + "/suite/99990101T000000Z-abc");
  EXPECT_EQ(open()->directory(), first);
  EXPECT_FALSE(fs::exists(half) || fs::exists(first + "/summary.json.part"));
}

TEST_F(StoreTest, LeavesNothingBehindWhereItCannotBegin) {
  RunIdentity identity;
  identity.suite = "suite";
  identity.suite_toml = "schema = 1\n";
  identity.git_sha = std::string(250, 'a');  // longer than a name may be
  EXPECT_THROW(Store::open(root_, identity, false), CannotWrite);
  EXPECT_TRUE(fs::is_empty(root_ + "/suite"));
}

TEST_F(StoreTest, GivesBackWhatItKept) {
  std::unique_ptr<Store> store = open();
  store->keep(sample("a"));
  store->keep(CalibrationRecord{"cpu | 0", "cpu", 0, {1e6, 2e6, 3e6, true}});
  const std::string first = store->directory();
  store.reset();

  store = open();
  EXPECT_EQ(store->directory(), first);
  EXPECT_EQ(store->recovered(), 1u);
  const Record back = store->find("a").value();
  const Record original = sample("a");
  EXPECT_GT(back.at_s, 1.7e9);
  Json was = to_json(original), is = to_json(back);
  was.erase("at_s");
  is.erase("at_s");
  EXPECT_EQ(is, was);
  EXPECT_EQ(back.trial.response_histogram.buckets(), original.trial.response_histogram.buckets());
  EXPECT_EQ(back.trial.response_histogram.overflow(), 7u);
  EXPECT_TRUE(std::isnan(back.trial.cpu_model_ns));
  ASSERT_EQ(back.trial.slices.size(), 3u);
  EXPECT_EQ(back.trial.slices[0].count(), original.trial.slices[0].count());
  EXPECT_EQ(store->find_calibration("cpu | 0")->calibration.p99_ns, 2e6);
  EXPECT_FALSE(store->find("b").has_value());
  EXPECT_FALSE(store->find_calibration("a").has_value());
}

TEST_F(StoreTest, CutsATornLastLineAndGoesOn) {
  std::unique_ptr<Store> store = open();
  store->keep(sample("a"));
  store->keep(sample("b"));
  const std::string journal = journal_of(*store);
  store.reset();
  const std::string whole = read_file(journal);
  // A crash can leave any prefix of the last line, its full text without the newline included.
  const std::size_t second = whole.find('\n') + 1;
  for (const std::size_t kept : {second + 1, second + 200, whole.size() - 1}) {
    std::ofstream(journal, std::ios::binary) << whole.substr(0, kept);
    store = open();
    EXPECT_EQ(store->recovered(), 1u);
    EXPECT_TRUE(store->find("a").has_value());
    EXPECT_FALSE(store->find("b").has_value());
    EXPECT_NE(store->remark().find("torn"), std::string::npos);
    store->keep(sample("b"));
    store.reset();
    store = open();
    EXPECT_EQ(store->recovered(), 2u);
    store.reset();
  }
}

TEST_F(StoreTest, RefusesAJournalDamagedInTheMiddle) {
  std::unique_ptr<Store> store = open();
  store->keep(sample("a"));
  const std::string journal = journal_of(*store);
  store.reset();
  std::ofstream(journal, std::ios::binary) << "{\"schema\":1,\n"
                                           << "{\"schema\":1}\n";
  EXPECT_THROW(open(), UsageError);
  EXPECT_NO_THROW(open(true));
}

TEST_F(StoreTest, NamesTheLineWhoseNumbersAreNone) {
  for (const auto& [from, to] :
       {std::pair("\"closed\":0", "\"closed\":0.5"), std::pair("\"closed\":0", "\"closed\":\"0\""),
        std::pair("\"buckets\":[", "\"buckets\":[7,"),
        std::pair("\"arrivals\":\"bursts(", "\"arrivals\":\"burst(")}) {
    std::string journal;
    {
      const auto store = open(true);
      store->keep(sample("a"));
      journal = journal_of(*store);
    }
    std::string text = read_file(journal);
    ASSERT_NE(text.find(from), std::string::npos) << from;
    replace_file(journal, text.replace(text.find(from), std::string(from).size(), to));
    const auto store = open();
    EXPECT_EQ(store->recovered(), 1);
    try {
      store->find("a");
      ADD_FAILURE() << to;
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find("the line of \"a\" is damaged"), std::string::npos)
          << error.what();
    }
  }
}

TEST_F(StoreTest, DoesNotContinueARunWhoseManifestHasFieldsOfAnotherType) {
  for (const auto& [key, value] : {std::pair<const char*, Json>("continued", "yesterday"),
                                   {"continued", nullptr},
                                   {"cpu_iterations_per_us", "many"},
                                   {"cpu_iterations_per_us", -1},
                                   {"cpu_iterations_per_us", 1e300},
                                   {"suite", 7}}) {
    std::string first;
    {
      const auto store = open(true);
      store->keep(sample("a"));
      edit_manifest(*store, key, value);
      first = store->directory();
    }
    const auto store = open();
    EXPECT_NE(store->directory(), first) << key << ' ' << value;
    EXPECT_NE(store->remark().find("manifest.json is damaged"), std::string::npos)
        << store->remark();
  }
}

TEST_F(StoreTest, AKilledWriterLosesNothingThatWasKept) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const std::unique_ptr<Store> store = open();
    for (int i = 0; i < 5; ++i) store->keep(sample(std::to_string(i)));
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(open()->recovered(), 5u);
}

TEST_F(StoreTest, AFullDiskIsNamedAndLeavesTheJournalIntact) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{30'000, 30'000};
    setrlimit(RLIMIT_FSIZE, &limit);
    int code = 1;
    try {
      const std::unique_ptr<Store> store = open();
      for (int i = 0; i < 1000; ++i) store->keep(sample(std::to_string(i)));
    } catch (const CannotWrite& error) {
      const std::string text = error.what();
      code =
          text.find("journal.jsonl") != std::string::npos && text.find("--out") != std::string::npos
              ? 0
              : 2;
    }
    _exit(code);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  const std::unique_ptr<Store> store = open();
  EXPECT_GT(store->recovered(), 0u);
  EXPECT_EQ(store->remark(), "") << "a failed append should take itself back";
}

TEST_F(StoreTest, ADirectoryThatCannotBeMadeIsNamed) {
  std::ofstream(root_ + "/suite") << "a file where the directory should be";
  try {
    open();
    FAIL() << "it was opened";
  } catch (const CannotWrite& error) {
    EXPECT_NE(std::string(error.what()).find(root_ + "/suite"), std::string::npos);
  }
}

TEST_F(StoreTest, ContinuesOnlyAnUnfinishedRunOfTheSamePlan) {
  std::unique_ptr<Store> store = open();
  const std::string first = store->directory();
  store->keep(sample("a"));
  store.reset();
  EXPECT_NE(open(false, "other")->directory(), first);
  EXPECT_EQ(open()->directory(), first);
  EXPECT_NE(open(true)->directory(), first);

  store = open();
  CampaignResult result;
  result.blocks_done = 1;
  store->finish(result);
  const std::string finished = store->directory();
  EXPECT_TRUE(fs::exists(finished + "/points.csv"));
  EXPECT_TRUE(fs::exists(finished + "/summary.csv"));
  EXPECT_EQ(Json::parse(read_file(finished + "/summary.json")).at("blocks_done"), 1);
  store.reset();
  EXPECT_NE(open()->directory(), finished);
}

TEST_F(StoreTest, AnotherSchemaIsRefusedByName) {
  std::unique_ptr<Store> store = open();
  edit_manifest(*store, "schema", 7);
  store.reset();
  try {
    open();
    FAIL() << "it was continued";
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("schema 7"), std::string::npos);
  }
}

TEST_F(StoreTest, DoesNotMixTheFiguresOfTwoBuilds) {
  std::unique_ptr<Store> store = open();
  const std::string first = store->directory();
  edit_manifest(*store, "binary_hash", "another");
  store.reset();
  store = open();
  EXPECT_NE(store->directory(), first);
  EXPECT_NE(store->remark().find("another build"), std::string::npos);
}

TEST_F(StoreTest, TwoProcessesDoNotWriteOneRun) {
  const std::unique_ptr<Store> store = open();
  EXPECT_THROW(open(), CannotWrite);
}

TEST_F(StoreTest, ReadsAJournalOfManyPiecesAndLinesAcrossThem) {
  std::unique_ptr<Store> store = open();
  const std::string journal = journal_of(*store);
  store.reset();
  constexpr std::size_t kPiece = 1 << 20;
  // A line that ends just at, before and after the end of a piece, one that is longer, and one in
  // each of the next pieces.
  std::string text;
  int lines = 0;
  for (const std::size_t end : {kPiece - 1, 2 * kPiece, 3 * kPiece + 1, 6 * kPiece, 7 * kPiece}) {
    std::string line = "{\"schema\":1,\"kind\":\"trial\",\"key\":\"" + std::to_string(lines++) +
                       "\",\"padding\":\"";
    line.append(end - text.size() - line.size() - 3, 'x');
    text += line + "\"}\n";
    ASSERT_EQ(text.size(), end);
  }
  std::ofstream(journal, std::ios::binary) << text;
  store = open();
  EXPECT_EQ(store->recovered(), static_cast<std::size_t>(lines));
  EXPECT_EQ(store->remark(), "");
  store.reset();
  std::ofstream(journal, std::ios::binary) << text << "{\"schema\":1,";
  store = open();
  EXPECT_EQ(store->recovered(), static_cast<std::size_t>(lines));
  EXPECT_EQ(fs::file_size(journal), text.size());
}

TEST_F(StoreTest, GivesATrialUpAfterThreeCrashesOrTenDeathsWithoutAWord) {
  const std::string path = root_ + "/under_way";
  const auto left = [&](const std::string& text) { std::ofstream(path) << text; };
  left("{\"key\":\"k\",\"deaths\":2,\"crashes\":2}\nsignal 11\n");
  {
    CrashMarker third(path);
    EXPECT_NE(third.last_death().find("crashed (Segmentation fault)"), std::string::npos);
    EXPECT_NE(third.begin("k").find("crashed (Segmentation fault) 3 times during \"k\""),
              std::string::npos);
    EXPECT_EQ(third.begin("another"), "");
  }
  EXPECT_FALSE(fs::exists(path)) << "an orderly end leaves nothing";
  left("{\"key\":\"k\",\"deaths\":9,\"crashes\":2}\n");
  EXPECT_NE(CrashMarker(path).begin("k").find("was killed 10 times"), std::string::npos);
  left("{\"key\":\"k\",\"deaths\":8,\"crashes\":1}\nsignal 6\n");
  EXPECT_EQ(CrashMarker(path).begin("k"), "");
  for (const char* torn : {"", "{\"key\":\"k", "[]\n", "{\"key\":7}\n", "\n\n"}) {
    left(torn);
    CrashMarker none(path);
    EXPECT_EQ(none.last_death(), "") << torn;
    EXPECT_EQ(none.begin("k"), "") << torn;
  }
}

TEST_F(StoreTest, PointsHaveOneFieldForEachColumn) {
  const std::unique_ptr<Store> store = open();
  store->keep(sample("a, \"b\""));
  store->finish({});
  std::ifstream points(store->directory() + "/points.csv");
  std::string header, row, more;
  ASSERT_TRUE(std::getline(points, header) && std::getline(points, row));
  EXPECT_FALSE(std::getline(points, more));
  const auto fields = [](const std::string& line) {
    int count = 1;
    bool quoted = false;
    for (const char c : line) {
      if (c == '"') quoted = !quoted;
      if (c == ',' && !quoted) ++count;
    }
    return count;
  };
  EXPECT_EQ(fields(header), 43);
  EXPECT_EQ(fields(row), 43);
  EXPECT_NE(row.find("\"a, \"\"b\"\"\""), std::string::npos);
}

}  // namespace
}  // namespace precipice
