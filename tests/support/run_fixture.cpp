#include "tests/support/run_fixture.hpp"

#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "harness/json.hpp"

namespace precipice::testing {

namespace fs = std::filesystem;

const char* const kSimulatedSuite = R"(
schema = 1
name = "tiny"
seed = 7
blocks = 2
[load]
window = "300ms"
coarse_window = "200ms"
warmup = "10ms"
drain = "100ms"
[search]
refine = [0.9, 1.1]
overload = [1.5]
grid = [0.5]
repeats = 1
[[model]]
use = "oracle"
mean = "1ms"
service = "exponential"
[[model]]
use = "oracle"
mean = "1ms"
servers = 2
[[workload]]
use = "empty"
)";

std::string real_suite(const std::string& workload) {
  return R"(
schema = 1
name = "tiny"
seed = 7
blocks = 2
[load]
window = "40ms"
coarse_window = "30ms"
warmup = "5ms"
drain = "50ms"
[search]
refine = [0.9, 1.1]
overload = [1.5]
grid = [0.5]
repeats = 0
[[model]]
use = "fixed_pool"
threads = 8
[[workload]]
slo = "p99<5ms"
)" + workload;
}

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::vector<std::string> keys_of(const std::vector<Json>& lines) {
  std::vector<std::string> keys;
  for (const Json& line : lines) keys.push_back(line.at("key").get<std::string>());
  return keys;
}

std::string structure_of(const Json& json) {
  std::ostringstream text;
  if (json.is_object()) {
    text << "{";
    // Which causes there were is no structure, nor what is null or not by what was measured.
    // The last four are the lists of a verdict: which of them a series is in.
    static const std::set<std::string> kByMeasurement = {"invalid_causes", "indicative", "slo_grid",
                                                         "twin",           "best",       "rest",
                                                         "none_holds",     "unmeasured"};
    for (const auto& [name, value] : json.items())
      text << name << ":" << (kByMeasurement.contains(name) ? "" : structure_of(value)) << ",";
    text << "}";
  } else if (json.is_array()) {
    // How many sentences or numbers a list holds is no structure; its objects are.
    text << "[";
    for (const Json& each : json) {
      if (each.is_structured()) text << structure_of(each) << ",";
    }
    text << "]";
  }
  return text.str();
}

void RunUnderTest::SetUp() {
  // In memory where that can be: there are thousands of fsyncs, and no test here cuts the power.
  std::string pattern = "/dev/shm/precipice-run-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) {
    pattern = (fs::temp_directory_path() / "precipice-run-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  }
  root_ = pattern;
  chmod(root_.c_str(), 0755);
  program_ = PRECIPICE_FAULTY_BINARY;
  write_suite(kSimulatedSuite);
}

void RunUnderTest::forget_results() {
  fs::remove_all(results());
  seen_.clear();
}

void RunUnderTest::TearDown() { fs::remove_all(root_); }

void RunUnderTest::write_suite(const std::string& text) const {
  write_text(root_ + "/suite.toml", text);
}

ChildOptions RunUnderTest::with_fault(const std::string& fault, bool real) const {
  ChildOptions options;
  options.environment = {{"PRECIPICE_FAULT", fault},
                         {"PRECIPICE_FAULT_UNDER", results()},
                         {"PRECIPICE_FAULT_VIRTUAL", real ? "" : "1"}};
  return options;
}

Child RunUnderTest::start(ChildOptions options, std::vector<std::string> more) {
  options.environment.emplace("PRECIPICE_FAULT_VIRTUAL", "1");
  options.environment["PRECIPICE_SCRATCH"] = root_ + "/scratch";
  if (options.out == "/dev/null") options.out = root_ + "/out.txt";
  if (options.err == "/dev/null") options.err = root_ + "/err.txt";
  // Forced: what this machine's noise would make of the figures is not asked here.
  std::vector<std::string> argv = {program_, "run", root_ + "/suite.toml", "--force"};
  if (std::find(more.begin(), more.end(), "--out") == more.end())
    argv.insert(argv.end(), {"--out", results()});
  argv.insert(argv.end(), more.begin(), more.end());
  return Child(argv, options);
}

Ended RunUnderTest::run(ChildOptions options, std::vector<std::string> more) {
  return start(std::move(options), std::move(more)).wait();
}

std::string RunUnderTest::err() const { return text_of(root_ + "/err.txt"); }
std::string RunUnderTest::out() const { return text_of(root_ + "/out.txt"); }

std::vector<std::string> RunUnderTest::directories() const {
  std::vector<std::string> found;
  std::error_code none;
  for (fs::directory_iterator entry(results() + "/tiny", none), end; !none && entry != end;
       entry.increment(none)) {
    if (entry->path().extension() != ".part" && fs::exists(entry->path() / "manifest.json"))
      found.push_back(entry->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string RunUnderTest::directory() const {
  const std::vector<std::string> all = directories();
  return all.empty() ? "" : all.back();
}

std::vector<Json> RunUnderTest::check_journal(const std::string& directory) {
  const std::string text = text_of(directory + "/journal.jsonl");
  const std::string whole = text.substr(0, text.rfind('\n') + 1);
  std::string& seen = seen_[directory];
  EXPECT_TRUE(whole.starts_with(seen)) << "a finished trial is gone or has changed";
  seen = whole;

  std::vector<Json> lines;
  std::set<std::string> keys;
  std::istringstream stream(whole);
  for (std::string line; std::getline(stream, line);) {
    Json json = Json::parse(line, nullptr, false);
    if (json.is_discarded()) {
      ADD_FAILURE() << "line " << lines.size() + 1 << " is damaged";
      return lines;
    }
    EXPECT_EQ(json.value("schema", 0), 1);
    const std::string key = json.value("kind", "") + " " + json.value("key", "");
    EXPECT_TRUE(keys.insert(key).second) << key << " is there twice";
    if (json.value("kind", "") == "trial") {
      const Json& n = json.at("trial").at("counts");
      const auto count = [&](const char* name) { return n.at(name).get<std::uint64_t>(); };
      EXPECT_EQ(count("scheduled"), count("sent") + count("unsent")) << key;
      EXPECT_EQ(count("sent"),
                count("completed") + count("failed") + count("shed") + count("unfinished"))
          << key;
    }
    lines.push_back(std::move(json));
  }
  return lines;
}

void RunUnderTest::check_finished(const std::string& directory,
                                  const std::vector<Json>& lines) const {
  const Json manifest = Json::parse(text_of(directory + "/manifest.json"), nullptr, false);
  ASSERT_TRUE(manifest.is_object());
  EXPECT_TRUE(manifest.value("finished", false));
  for (const char* name : {"suite.toml", "environment.before.json", "environment.after.json",
                           "journal.jsonl", "points.csv", "summary.json", "summary.csv"}) {
    EXPECT_TRUE(fs::exists(directory + "/" + name)) << name;
  }
  for (const auto& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename();
    EXPECT_FALSE(name.ends_with(".part") || name == "under_way") << name << " was left behind";
  }
  // One row a trial, in the journal's order.
  const auto trials = std::count_if(lines.begin(), lines.end(),
                                    [](const Json& line) { return line.at("kind") == "trial"; });
  const std::string points = text_of(directory + "/points.csv");
  EXPECT_EQ(std::count(points.begin(), points.end(), '\n'), trials + 1);
}

}  // namespace precipice::testing
