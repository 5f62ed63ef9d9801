#include "harness/store/suite.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "harness/compare/cell_lookup.hpp"

namespace precipice {
namespace {

const std::string kGood = R"toml(schema = 1
name   = "good"
seed   = 42
blocks = 2
slo    = "p99 < 10xS"
[load]
arrivals = "fixed"
window   = "1s"
brief    = true
[search]
refine = [0.9, 1.1]
[[model]]
use = "fixed_pool"
threads = [8, 64]
[[model]]
use = "inline"
[[workload]]
use = "cpu"
work = ["200us", "1ms"]
dist = ["fixed", "exponential"]
[[claim]]
say = "more \"threads\" help"
that = "saturation(fixed_pool.threads=64, cpu:work=1ms,dist=fixed) > 2 * saturation(inline, cpu:work=1ms,dist=fixed)"
)toml";

std::string complaint(const std::string& text) {
  try {
    parse_suite(text, "bad.toml");
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

/// The good suite with one text replaced.
std::string with(const std::string& old_text, const std::string& new_text) {
  std::string text = kGood;
  const std::size_t at = text.find(old_text);
  EXPECT_NE(at, std::string::npos) << old_text;
  return text.replace(at, old_text.size(), new_text);
}

void expect_complaint(const std::string& text, std::initializer_list<const char*> parts) {
  const std::string message = complaint(text);
  for (const char* part : parts)
    EXPECT_NE(message.find(part), std::string::npos) << "'" << part << "' is not in: " << message;
}

TEST(Suite, ExpandsListsToTheirCrossProduct) {
  const Plan plan = parse_suite(kGood, "good.toml");
  ASSERT_EQ(plan.models.size(), 3u);
  EXPECT_EQ(plan.models[0].to_string(), "fixed_pool:threads=8");
  EXPECT_EQ(plan.models[2].to_string(), "inline");
  ASSERT_EQ(plan.workloads.size(), 4u);
  EXPECT_EQ(plan.blocks, 2);
  EXPECT_EQ(plan.seed, 42u);
  EXPECT_TRUE(plan.brief);
  EXPECT_EQ(plan.slo.times_service, 10);
  EXPECT_EQ(plan.arrivals.to_string(), "fixed");
  EXPECT_EQ(plan.refine, (std::vector<double>{0.9, 1.1}));
  EXPECT_EQ(plan.claims.at(0).say, "more \"threads\" help");
}

TEST(Suite, RatesMayStandWhereverTheyAreLookedFor) {
  for (const char* where : {"slo    =", "arrivals =", "refine ="}) {
    const Plan plan =
        parse_suite(with(where, std::string("rates = [900, 600.5, 900]\n") + where), "good.toml");
    EXPECT_EQ(plan.rates, (std::vector<double>{600.5, 900})) << where;
    EXPECT_EQ(parse_suite(to_toml(plan), "resolved.toml").rates, plan.rates);
    EXPECT_NE(plan_hash(plan), plan_hash(parse_suite(kGood, "good.toml")));
  }
  EXPECT_EQ(to_toml(parse_suite(kGood, "good.toml")).find("rates"), std::string::npos);
  expect_complaint(with("slo    =", "rates = 600\nslo    ="), {"bad.toml:5: rates", "[600, 900]"});
  expect_complaint(with("slo    =", "rates = [0]\nslo    ="), {"each rate", "above 0"});
}

TEST(Suite, ResolvedTextParsesToTheSamePlan) {
  const Plan plan = parse_suite(kGood, "good.toml");
  const Plan again = parse_suite(to_toml(plan), "resolved.toml");
  EXPECT_EQ(to_toml(again), to_toml(plan));
  EXPECT_EQ(plan_hash(again), plan_hash(plan));
}

TEST(Suite, AVirtualWindowIsMeantAsItStandsWhereItIsGiven) {
  const auto plan_of = [](const std::string& window) {
    return parse_suite("schema = 1\nname = \"v\"\n[load]\nclock = \"virtual\"\n" + window +
                           "[[model]]\nuse = \"oracle\"\n[[workload]]\nuse = \"empty\"\n",
                       "v.toml");
  };
  const Plan by_time = plan_of("window = \"5s\"\n"), by_requests = plan_of("");
  EXPECT_EQ(by_time.virtual_requests, 0u);
  EXPECT_GT(by_requests.virtual_requests, 0u);
  for (const Plan& plan : {by_time, by_requests}) {
    const Plan again = parse_suite(to_toml(plan), "resolved.toml");
    EXPECT_EQ(again.virtual_requests, plan.virtual_requests);
    EXPECT_EQ(again.window, plan.window);
  }
}

TEST(Suite, HashTellsPlansApart) {
  const Plan plan = parse_suite(kGood, "good.toml");
  EXPECT_NE(plan_hash(plan), plan_hash(parse_suite(with("seed   = 42", "seed = 43"), "x")));
  Plan other = plan;
  other.model_cpus = CpuSet({5});
  EXPECT_NE(plan_hash(plan), plan_hash(other));
  other = plan;
  other.budget = std::chrono::minutes(1);
  EXPECT_EQ(plan_hash(plan), plan_hash(other));
}

TEST(Suite, HashFollowsTheTimesOfATraceAndNotItsPlace) {
  const std::string place = ::testing::TempDir() + "precipice-suite-traces";
  std::filesystem::create_directories(place + "/other");
  const auto hash_with = [&](const std::string& file, const std::string& times) {
    std::ofstream(file) << times;
    return plan_hash(
        parse_suite(with("\"fixed\"\nwindow", "\"trace(" + file + ")\"\nwindow"), "good.toml"));
  };
  const std::string before = hash_with(place + "/t", "0\n1\n3\n");
  EXPECT_NE(hash_with(place + "/t", "0\n2\n3\n"), before);
  EXPECT_NE(hash_with(place + "/t", "0\n1\n3\n4\n"), before);
  EXPECT_EQ(hash_with(place + "/t", "# again\r\n0\r\n1\r\n3\r\n"), before);
  EXPECT_EQ(hash_with(place + "/other/u", "0\n1\n3\n"), before);
  std::filesystem::remove_all(place);
}

TEST(Suite, ATraceBesideTheSuiteGoesBeforeThatOfTheWorkingDirectory) {
  const std::string place = ::testing::TempDir() + "precipice-suite-beside";
  std::filesystem::create_directories(place);
  std::ofstream(place + "/CMakeCache.txt") << "0\n1\n";
  const auto trace_of = [&](const std::string& file) {
    return parse_suite(with("\"fixed\"\nwindow", "\"trace(" + file + ")\"\nwindow"),
                       place + "/good.toml")
        .arrivals.trace_file();
  };
  EXPECT_EQ(trace_of("CMakeCache.txt"), place + "/CMakeCache.txt");
  EXPECT_EQ(trace_of("/gone/CMakeCache.txt"), place + "/CMakeCache.txt");
  std::filesystem::remove_all(place);
}

TEST(Suite, ReadsAByteOrderMarkAndNamesOtherEncodings) {
  EXPECT_EQ(plan_hash(parse_suite("\xef\xbb\xbf" + kGood, "bad.toml")),
            plan_hash(parse_suite(kGood, "bad.toml")));
  std::string crlf, wide = "\xff\xfe";
  for (const char c : kGood) {
    crlf += c == '\n' ? "\r\n" : std::string(1, c);
    wide += {c, '\0'};
  }
  EXPECT_EQ(plan_hash(parse_suite(crlf, "x")), plan_hash(parse_suite(kGood, "x")));
  expect_complaint(wide, {"bad.toml: is UTF-16", "UTF-8"});
  expect_complaint(wide.substr(2), {"bad.toml: holds zero bytes", "UTF-16"});
  expect_complaint(with("more", "caf\xe9"), {"bad.toml:22: holds the byte \\xe9", "UTF-8"});
}

TEST(Suite, IsAFileThatEnds) {
  for (const char* path : {"/dev/zero", "/", "/proc/none"})
    EXPECT_THROW(load_suite(path), UsageError) << path;
  EXPECT_THROW(load_suite(std::string(300, 'a')), UsageError);
  const std::string pipe = ::testing::TempDir() + "precipice-suite-" + std::to_string(getpid());
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THROW(load_suite(pipe), UsageError);
  std::filesystem::remove(pipe);
}

TEST(Suite, NamesFileLineAndKeyOfEveryMistake) {
  expect_complaint(with("seed ", "sed "), {"bad.toml:3: sed:", "did you mean 'seed'"});
  expect_complaint(with("blocks = 2", "blocks = 0"), {"bad.toml:4: blocks:", "from 1"});
  expect_complaint(with("10xS", "10"), {"bad.toml:5: slo:", "p99<5ms"});
  expect_complaint(with("\"fixed\"\nwindow", "\"fixd\"\nwindow"), {"bad.toml:7: load.arrivals:"});
  expect_complaint(with("\"1s\"", "1"), {"bad.toml:8: load.window:", "in quotes"});
  expect_complaint(with("\"1s\"", "\"soon\""), {"bad.toml:8: load.window:"});
  expect_complaint(with("window ", "windw "), {"bad.toml:8: load.windw:", "'window'"});
  expect_complaint(with("brief    = true", "brief = 1"), {"bad.toml:9: load.brief:"});
  expect_complaint(with("[0.9, 1.1]", "[]"), {"bad.toml:11: search.refine:", "empty"});
  expect_complaint(with("[0.9, 1.1]", "[0.9, -1]"), {"bad.toml:11: search.refine:"});
  expect_complaint(with("fixed_pool", "fixd_pool"), {"bad.toml:13: model.use:", "fixed_pool"});
  expect_complaint(with("threads = [8", "treads = [8"), {"bad.toml:14: model.treads:", "threads"});
  expect_complaint(with("[8, 64]", "[8, 0]"), {"bad.toml:14: model.threads:"});
  expect_complaint(with("[8, 64]", "[]"), {"bad.toml:14: model.threads:", "empty"});
  expect_complaint(with("\"cpu\"", "\"gpu\""), {"bad.toml:18: workload.use:", "cpu"});
  expect_complaint(with("\"200us\"", "\"200\""), {"bad.toml:19: workload.work:"});
  expect_complaint(with("that = ", "than = "), {"bad.toml:23: claim.than:", "'that'"});
}

TEST(Suite, RefusesContradictions) {
  expect_complaint(with("schema = 1", "schema = 2"), {"bad.toml:1: schema:", "is 2"});
  expect_complaint(with("schema = 1\n", ""), {"schema is missing"});
  expect_complaint(with("[8, 64]", "[8, 8]"), {"'fixed_pool:threads=8' is there twice"});
  expect_complaint(with("use = \"inline\"", "use = \"fixed_pool\"\nthreads = 64"),
                   {"bad.toml:15: model:", "twice"});
  expect_complaint("schema = 1\nname = \"x\"\n[[workload]]\nuse = \"cpu\"\n", {"no [[model]]"});
  expect_complaint("schema = 1\nname = \"x\"\n[[model]]\nuse = \"inline\"\n", {"no [[workload]]"});
  expect_complaint("schema = 1\nname = \"x\"\n[model]\nuse = \"inline\"\n",
                   {"bad.toml:3", "[[model]]"});
  expect_complaint(with("\"good\"", "\"../good\""), {"bad.toml:2: name:"});
  expect_complaint(with("\"good\"", "\"baselines\""), {"bad.toml:2: name:", "saved baselines"});
  expect_complaint("schema = \n", {"bad.toml:1:"});
  expect_complaint(with("use = \"inline\"\n", ""), {"bad.toml:15: model.use:", "missing"});
}

TEST(Suite, OnlyKeepsTheCellsThatMatch) {
  Plan plan = parse_suite(kGood, "good.toml");
  keep_only(plan, "threads=8 cpu:dist=fixed");
  ASSERT_EQ(plan.models.size(), 1u);
  EXPECT_EQ(plan.workloads.size(), 2u);
  EXPECT_TRUE(plan.includes(plan.models[0], plan.workloads[0]));
  EXPECT_THROW(keep_only(plan, "nothing such"), UsageError);
}

TEST(Suite, TheTextOfAPartialPlanHasItsCellsAndNoOthers) {
  Plan plan = parse_suite(kGood, "good.toml");
  // In models of one name and in workloads of one distribution: no product of the two.
  keep_only(plan, "fixed");
  const auto names = [](const Plan& of) {
    std::set<std::string> all;
    for (const CellName& cell : cells_of(of))
      all.insert(cell.model.to_string() + " " + cell.workload.to_string());
    return all;
  };
  EXPECT_EQ(names(plan).size(), 10u);
  EXPECT_EQ(names(parse_suite(to_toml(plan), "resolved.toml")), names(plan));
}

TEST(Suite, EstimateGrowsWithBlocks) {
  Plan plan = parse_suite(kGood, "good.toml");
  const PlanEstimate two = estimate(plan);
  plan.blocks = 4;
  const PlanEstimate four = estimate(plan);
  EXPECT_EQ(two.cells, 12);
  EXPECT_GT(four.trials, two.trials);
  EXPECT_GT(four.seconds, two.seconds);
}

TEST(Suite, ThoseThatComeWithTheProgramAreGood) {
  int seen = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(PRECIPICE_SOURCE_DIR "/workloads/suites")) {
    EXPECT_NO_THROW(load_suite(entry.path().string())) << entry.path();
    ++seen;
  }
  EXPECT_GE(seen, 10);
}

}  // namespace
}  // namespace precipice
