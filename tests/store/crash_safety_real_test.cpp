// Nothing that was measured is lost, with real trials: killed at moments that are chosen by the
// clock, and when what a trial needs dies under it. Validity is the machine's affair here: what is
// asserted is which trials there are and that no request is missing in any.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include "harness/json.hpp"
#include "models/random.hpp"
#include "tests/support/run_fixture.hpp"

namespace precipice::testing {
namespace {

constexpr const char* kSleep = "use = \"sleep\"\nwait = \"1ms\"\n";
constexpr const char* kRpc = "use = \"rpc\"\nwait = \"1ms\"\nconnections = 16\n";
constexpr const char* kFile = "use = \"file\"\nsize = \"8MiB\"\n";

class RealSurvival : public RunUnderTest {
 protected:
  /// On a real machine a cell may come out invalid (3); it is finished all the same.
  void finish(ChildOptions options = {}) {
    options.environment["PRECIPICE_FAULT_VIRTUAL"] = "";
    const Ended ended = run(options);
    EXPECT_TRUE(ended.code == 0 || ended.code == 3) << ended.code << ": " << err();
  }
  /// What a finished run has whatever was measured: the same phases in every block. The refining
  /// rates follow what was learned, the others stay.
  void check_blocks(const std::vector<Json>& lines) const {
    std::map<int, std::set<std::string>> rates, refining;
    for (const Json& line : lines) {
      const std::string phase = line.value("phase", "");
      if (phase != "refine" && phase != "overload" && phase != "grid") continue;
      auto& into = phase == "refine" ? refining : rates;
      into[line.at("block").get<int>()].insert(phase + line.at("trial").at("rate_per_s").dump());
    }
    if (refining.empty()) return;  // nothing was valid, so there was nothing to refine
    EXPECT_EQ(refining.size(), 2u) << text_of(directory() + "/points.csv");
    EXPECT_EQ(rates[0], rates[1]);
  }
  Json summary() const { return Json::parse(text_of(directory() + "/summary.json")); }
};

std::uint64_t count(const Json& line, const char* name) {
  return line.at("trial").at("counts").at(name).get<std::uint64_t>();
}

TEST_F(RealSurvival, KilledAndInterruptedAtRandomMomentsItHasTheStructureOfAnUndisturbedRun) {
  program_ = PRECIPICE_BINARY;
  write_suite(real_suite(kSleep));
  Random random(20);
  constexpr int kSignals[] = {SIGKILL, SIGKILL, SIGTERM, SIGKILL, SIGINT, SIGKILL};
  std::string first;
  for (const int signal : kSignals) {
    Child child = start();
    std::this_thread::sleep_for(std::chrono::milliseconds(50 + random.below(400)));
    child.send(signal);
    const Ended ended = child.wait();
    if (signal == SIGKILL) {
      EXPECT_EQ(ended.signal, SIGKILL);
    } else if (ended.code != 130) {
      EXPECT_EQ(ended.signal, signal) << "it came before anybody watched for it";
    }
    if (directory().empty()) continue;  // before there was a run
    if (first.empty()) first = directory();
    EXPECT_EQ(directory(), first);
    check_journal(first);
  }
  finish();
  const std::vector<Json> lines = check_journal(directory());
  check_finished(directory(), lines);
  check_blocks(lines);
  EXPECT_EQ(directories().size(), 1u);
  const std::string structure = structure_of(summary());
  forget_results();
  finish();
  EXPECT_EQ(structure, structure_of(summary()));
}

TEST_F(RealSurvival, AModelThatCrashesCostsTheTrialUnderWay) {
  write_suite(real_suite(kSleep));
  EXPECT_NE(run(with_fault("abort@2.20", true)).code, 0);
  const std::string first = directory();
  const std::vector<Json> before = check_journal(first);
  EXPECT_EQ(std::count_if(before.begin(), before.end(),
                          [](const Json& line) { return line.at("kind") == "trial"; }),
            1);
  finish();
  EXPECT_NE(err().find("the last start crashed ("), std::string::npos) << err();
  EXPECT_EQ(directory(), first);
  const std::vector<Json> lines = check_journal(first);
  check_finished(first, lines);
  check_blocks(lines);
}

/// The trials in order; `fault` strikes in the one of this number.
class StruckTrial : public RealSurvival, public ::testing::WithParamInterface<int> {
 protected:
  void expect_one_trial_with_failures(const std::string& fault, const std::set<std::string>& errors,
                                      const std::string& gate = "") {
    const auto trial = static_cast<std::size_t>(GetParam());
    ChildOptions options = with_fault(fault + "@" + std::to_string(trial) + ".3", true);
    options.environment["PRECIPICE_FAULT_CUT"] = root_ + "/scratch/precipice-v1-8388608.bin";
    finish(options);
    const std::vector<Json> lines = check_journal(directory());
    check_finished(directory(), lines);
    check_blocks(lines);
    std::size_t number = 0;
    for (const Json& line : lines) {
      if (line.at("kind") != "trial") continue;
      if (++number != trial) {
        EXPECT_EQ(count(line, "failed"), 0u) << line.at("key");
        continue;
      }
      EXPECT_GT(count(line, "failed"), 0u) << "nothing was seen of it";
      for (const auto& [error, times] : line.at("trial").at("errors").items())
        EXPECT_TRUE(errors.contains(error)) << "error " << error << ": " << times;
      const std::string reasons = line.at("trial").at("invalid_reasons").dump();
      EXPECT_NE(reasons.find(gate), std::string::npos) << reasons;
    }
    EXPECT_GT(number, trial);
  }
};

TEST_P(StruckTrial, ABackendThatDiesFailsItsRequestsAndTheNextTrialHasAnother) {
  write_suite(real_suite(kRpc));
  expect_one_trial_with_failures("backend",
                                 {std::to_string(ECONNRESET), std::to_string(EPIPE),
                                  std::to_string(ECONNREFUSED), std::to_string(ENOTCONN)},
                                 "backend_stopped");
}

TEST_P(StruckTrial, AFileThatIsCutFailsItsReadsAndIsMadeAgain) {
  write_suite(real_suite(kFile));
  expect_one_trial_with_failures("cut", {std::to_string(EIO)});
}

// A cell has three trials even where none of them is valid.
INSTANTIATE_TEST_SUITE_P(RealSurvival, StruckTrial, ::testing::Values(1, 2));

}  // namespace
}  // namespace precipice::testing
