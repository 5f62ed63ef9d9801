// Nothing that was measured is lost: whatever a run dies of, and wherever, the next start finds
// every finished trial and ends with the result of an undisturbed run, byte for byte. The trials
// are simulated; survival_real_test.cpp has the same with real ones.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "harness/json.hpp"
#include "models/random.hpp"
#include "tests/support/run_fixture.hpp"

namespace precipice::testing {
namespace {

namespace fs = std::filesystem;

class Survival : public RunUnderTest {
 protected:
  void SetUp() override {
    RunUnderTest::SetUp();
    // The undisturbed run, in a place of its own.
    const std::string elsewhere = root_ + "/undisturbed";
    ChildOptions options = with_fault("");
    options.environment["PRECIPICE_FAULT_UNDER"] = root_;
    options.environment["PRECIPICE_FAULT_TRACE"] = root_ + "/trace";
    const Ended ended = run(options, {"--out", elsewhere});
    ASSERT_EQ(ended.code, 0) << err();
    const fs::directory_iterator only(elsewhere + "/tiny");
    undisturbed_ = only->path();
    whole_ = check_journal(undisturbed_);
    check_finished(undisturbed_, whole_);
    ASSERT_GT(whole_.size(), 20u);
    trace_ = text_of(root_ + "/trace");
  }

  /// Ends the run, and compares.
  void expect_undisturbed_result(const std::string& of, int code = 0) {
    const Ended ended = run();
    EXPECT_EQ(ended.code, code) << err();
    expect_same(of);
  }
  void expect_same(const std::string& of) {
    EXPECT_EQ(directory(), of) << "another run was begun: " << err();
    const std::vector<Json> lines = check_journal(of);
    check_finished(of, lines);
    EXPECT_EQ(keys_of(lines), keys_of(whole_));
    for (const char* name : {"summary.json", "summary.csv"})
      EXPECT_EQ(text_of(of + "/" + name), text_of(undisturbed_ + "/" + name)) << name;
  }
  bool err_says(const std::string& text) const { return err().find(text) != std::string::npos; }

  std::string undisturbed_;
  std::string trace_;  ///< its calls that change files
  std::vector<Json> whole_;
};

/// Strikes at a call that changes a file, again and again over one run, until it is finished.
class Struck : public Survival, public ::testing::WithParamInterface<const char*> {};

TEST_P(Struck, AtAnyCallItEndsWithTheUndisturbedResult) {
  const std::string action = GetParam();
  // Many more with PRECIPICE_TEST_JOURNEYS; see docs/durability.md.
  const char* wanted = std::getenv("PRECIPICE_TEST_JOURNEYS");
  const int journeys = wanted == nullptr ? 3 : std::atoi(wanted);
  const auto calls = static_cast<std::uint64_t>(std::count(trace_.begin(), trace_.end(), '\n'));
  int struck = 0;
  for (int journey = 0; journey < journeys; ++journey) {
    Random random(mix64(static_cast<std::uint64_t>(journey) + 1));
    // The first blow anywhere in a whole run, its beginning and its end more often.
    std::uint64_t call = journey % 3 == 0   ? 1 + random.below(24)
                         : journey % 3 == 1 ? calls - random.below(30)
                                            : 1 + random.below(calls);
    for (int start = 0; start < 12; ++start) {
      const Ended ended = run(with_fault(action + "@" + std::to_string(call)));
      const std::string where = action + " at call " + std::to_string(call) + ": ";
      if (!directory().empty()) check_journal(directory());
      if (ended.code == 0) break;  // it finished before that call, or lost only its marker there
      ++struck;
      if (action == "full") {
        EXPECT_EQ(ended.code, 5) << where << err();
        EXPECT_TRUE(err_says("cannot write ") && err_says("--out")) << where << err();
        EXPECT_TRUE(err_says("No space left") || err_says("Input/output error")) << err();
      } else if (action == "term") {
        EXPECT_EQ(ended.code, 130) << where << err();
        EXPECT_TRUE(err_says("to continue: ")) << where << err();
      } else {
        EXPECT_EQ(ended.signal, SIGKILL) << where << err();
      }
      call = 5 + random.below(60);
    }
    std::set<std::string> left;
    for (const std::string& each : directories()) left.insert(each);
    EXPECT_LE(left.size(), 1u) << "a second run was begun instead of continuing the first";
    const std::string of = directory();
    if (of.empty() || !Json::parse(text_of(of + "/manifest.json")).at("finished").get<bool>()) {
      EXPECT_EQ(run().code, 0) << err();
    }
    expect_same(of.empty() ? directory() : of);
    forget_results();
  }
  EXPECT_GE(struck, journeys) << "the blows have missed";
}

INSTANTIATE_TEST_SUITE_P(Survival, Struck, ::testing::Values("kill", "torn", "full", "term"),
                         [](const auto& test) { return std::string(test.param); });

TEST_F(Survival, ShortAndInterruptedWritesChangeNothing) {
  EXPECT_EQ(run(with_fault("trickle")).code, 0) << err();
  expect_same(directory());
}

TEST_F(Survival, EveryFileIsOnDiskBeforeItIsNamedAndEveryTrialBeforeTheNext) {
  std::map<std::string, std::string> last;  // call on each path
  std::string renamed, made;                // whose directory is not yet synced
  int renames = 0, lines = 0;
  std::istringstream trace(trace_);
  for (std::string call, path; trace >> call && std::getline(trace >> std::ws, path);) {
    const std::string parent = fs::path(path).parent_path();
    if (path.ends_with("/under_way")) continue;  // promises nothing
    if (!renamed.empty()) {
      EXPECT_TRUE(call == "fsync" && path == fs::path(renamed).parent_path())
          << call << " " << path << " before the directory of " << renamed << " was synced";
      renamed.clear();
      continue;
    }
    if (call == "rename") {
      EXPECT_EQ(last[path + ".part"], "fsync") << path << " was named before it was on disk";
      renamed = path;
      ++renames;
    } else if (call == "mkdir") {
      renamed = path;
    } else if (path.ends_with("/journal.jsonl")) {
      if (call == "write") {
        EXPECT_NE(last[path], "write") << "a trial was begun before the last one was on disk";
        ++lines;
      }
    }
    last[path] = call;
  }
  EXPECT_EQ(lines, static_cast<int>(whole_.size()));
  EXPECT_GE(renames, 7);
  EXPECT_EQ(last[undisturbed_ + "/journal.jsonl"], "fsync");
}

TEST_F(Survival, OneSignalLetsTheTrialUnderWayEnd) {
  for (const char* signal : {"term", "hangup"}) {
    EXPECT_EQ(run(with_fault(std::string(signal) + "@3.0")).code, 130) << signal;
    EXPECT_EQ(check_journal(directory()).size(), 3u);
    EXPECT_TRUE(err_says("to continue: precipice run ")) << err();
    const Json summary = Json::parse(text_of(directory() + "/summary.json"));
    EXPECT_TRUE(summary.at("interrupted").get<bool>());
    expect_undisturbed_result(directory());
    forget_results();
  }
}

TEST_F(Survival, ASecondSignalCutsTheTrialShortAndAThirdEndsTheProcess) {
  EXPECT_EQ(run(with_fault("term2@3.0")).code, 130);
  EXPECT_EQ(check_journal(directory()).size(), 2u);
  EXPECT_EQ(run(with_fault("term3@2.0")).code, 130);
  EXPECT_EQ(check_journal(directory()).size(), 3u);
  EXPECT_TRUE(err_says("once more to stop at once")) << err();
  EXPECT_TRUE(err_says("to continue: precipice run ")) << err();
  expect_undisturbed_result(directory());
}

TEST_F(Survival, ATrialThatCrashesIsNamedAndAfterThreeTimesGivenUp) {
  // The fourth trial, at every start; then the other cell has its turn.
  EXPECT_NE(run(with_fault("abort@4.0")).code, 0);
  const std::vector<Json> before = check_journal(directory());
  ASSERT_EQ(before.size(), 3u);
  const std::string key = whole_[3].at("key").get<std::string>();
  for (const char* fault : {"segv@1.0", "abort@1.0"}) {
    EXPECT_NE(run(with_fault(fault)).code, 0);
    EXPECT_TRUE(err_says("the last start crashed (") && err_says("during \"" + key + "\""))
        << err();
    EXPECT_EQ(check_journal(directory()).size(), 3u);
  }
  EXPECT_EQ(run().code, 3) << err();
  const std::vector<Json> lines = check_journal(directory());
  EXPECT_EQ(lines.at(3).at("key"), key);  // that it was given up is in the journal too
  check_finished(directory(), lines);
  const Json summary = Json::parse(text_of(directory() + "/summary.json"));
  int failed = 0, measured = 0;
  for (const Json& cell : summary.at("cells")) {
    const std::string failure = cell.value("failure", "");
    if (failure.empty()) {
      ++measured;
      EXPECT_EQ(cell.at("cliff_per_s").at("reached"), "ok");
    } else {
      ++failed;
      EXPECT_NE(failure.find("crashed (Aborted) 3 times"), std::string::npos) << failure;
    }
  }
  EXPECT_EQ(failed, 1);
  EXPECT_EQ(measured, 1);
}

TEST_F(Survival, BeingKilledIsNoFaultOfTheModel) {
  EXPECT_EQ(run(with_fault("kill@4.0")).signal, SIGKILL);
  for (int times = 0; times < 4; ++times) {
    EXPECT_EQ(run(with_fault("kill@1.0")).signal, SIGKILL);
    EXPECT_TRUE(err_says("the last start was killed during")) << err();
  }
  expect_undisturbed_result(directory());
}

TEST_F(Survival, WhatOnlyLacksItsManifestIsFinishedWithoutATrial) {
  ASSERT_EQ(run().code, 0) << err();
  const std::string finished = directory();
  Json manifest = Json::parse(text_of(finished + "/manifest.json"));
  manifest["finished"] = false;
  write_text(finished + "/manifest.json", manifest.dump());
  fs::remove(finished + "/summary.json");
  fs::remove(finished + "/points.csv");
  EXPECT_EQ(run(with_fault("abort@1.0")).code, 0) << err();
  expect_same(finished);
}

TEST_F(Survival, AJournalOfAnotherSchemaIsRefusedByNameAndKept) {
  ASSERT_EQ(run(with_fault("term@5.0")).code, 130) << err();
  const std::string journal = directory() + "/journal.jsonl";
  const std::string text = text_of(journal);
  for (const char* schema : {"0", "2"}) {
    std::string other = text;
    other.replace(other.rfind("\n{\"schema\":1") + 11, 1, schema);
    write_text(journal, other);
    EXPECT_EQ(run().code, 2);
    EXPECT_TRUE(err_says(journal + ":5: is of schema " + schema)) << err();
    EXPECT_TRUE(err_says("--fresh")) << err();
    EXPECT_EQ(text_of(journal), other);
  }
  write_text(journal, text);
  expect_undisturbed_result(directory());
}

TEST_F(Survival, ADamagedMiddleIsRefusedByLineAndATornEndIsMeasuredAgain) {
  ASSERT_EQ(run(with_fault("term@5.0")).code, 130) << err();
  const std::string first = directory(), journal = first + "/journal.jsonl";
  const std::string text = text_of(journal);
  const std::size_t third = text.find('\n', text.find('\n') + 1) + 1;
  for (const std::string& damage :
       {std::string("\0\0\0", 3), std::string("\"x\":"), std::string("{}\n"), std::string("\n")}) {
    write_text(journal, text.substr(0, third) + damage + text.substr(third));
    EXPECT_EQ(run().code, 2) << damage;
    EXPECT_TRUE(err_says(journal + ":3: is ")) << err();
  }
  // Another start is possible, and the older one is then left as it is.
  EXPECT_EQ(run({}, {"--fresh"}).code, 0) << err();
  EXPECT_EQ(directories().size(), 2u);
  fs::remove_all(directory());
  for (const std::size_t kept :
       {text.size() - 1, text.size() - 2000, text.rfind('\n', text.size() - 2) + 2}) {
    write_text(journal, text.substr(0, kept));
    forget(first);
    EXPECT_EQ(run(with_fault("term@1.0")).code, 130) << err();
    EXPECT_TRUE(err_says("torn")) << err();
    EXPECT_EQ(check_journal(first).size(), 5u);
  }
  expect_undisturbed_result(first);
}

TEST_F(Survival, ATornManifestIsSaidAndItsJournalIsLeft) {
  ASSERT_EQ(run(with_fault("term@5.0")).code, 130) << err();
  const std::string first = directory();
  const std::string manifest = text_of(first + "/manifest.json");
  const std::string journal = text_of(first + "/journal.jsonl");
  write_text(first + "/manifest.json", manifest.substr(0, manifest.size() / 2));
  EXPECT_EQ(run().code, 0) << err();
  EXPECT_TRUE(err_says(first + "/manifest.json is damaged")) << err();
  EXPECT_NE(directory(), first);
  EXPECT_EQ(text_of(first + "/journal.jsonl"), journal);
}

TEST_F(Survival, FindsItsOwnRunBehindThatOfAnotherBuild) {
  ASSERT_EQ(run(with_fault("term@5.0")).code, 130) << err();
  const std::string own = directory(), other = own + "-other";
  fs::copy(own, other, fs::copy_options::recursive);
  Json manifest = Json::parse(text_of(other + "/manifest.json"));
  manifest["binary_hash"] = "another";
  write_text(other + "/manifest.json", manifest.dump());
  EXPECT_EQ(run().code, 0) << err();
  EXPECT_TRUE(err_says("another build")) << err();
  EXPECT_EQ(check_journal(other).size(), 5u);
  fs::remove_all(other);
  expect_same(own);
}

TEST_F(Survival, ASecondProcessIsTurnedAwayFromTheRun) {
  for (const char* locks : {"", "flock"}) {
    ChildOptions options = with_fault("stop@3.0");
    options.environment["PRECIPICE_FAULT_LOCKS"] = locks;
    Child first = start(options);
    while (first.running() && (directory().empty() || check_journal(directory()).size() < 2))
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    ChildOptions second;
    second.environment["PRECIPICE_FAULT_LOCKS"] = locks;
    EXPECT_EQ(run(second).code, 5);
    EXPECT_TRUE(err_says("another precipice is writing this run")) << err();
    while (first.running()) {
      // Not when it was never stopped: at its end a leak checker stops it for itself.
      if (first.stopped()) first.send(SIGCONT);
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    EXPECT_EQ(first.wait().code, 0);
    expect_same(directory());
    forget_results();
  }
}

TEST_F(Survival, WithoutAnyLocksItSaysSoAndRuns) {
  ChildOptions options = with_fault("");
  options.environment["PRECIPICE_FAULT_LOCKS"] = "none";
  EXPECT_EQ(run(options).code, 0) << err();
  EXPECT_TRUE(err_says("without locks")) << err();
  expect_same(directory());
}

TEST_F(Survival, AFileThatMayGrowNoFurtherIsSaidWithTheCure) {
  ChildOptions options = with_fault("");
  options.largest_file = 60'000;
  EXPECT_EQ(run(options).code, 5);
  EXPECT_TRUE(err_says("ulimit -f") && err_says("to continue: ")) << err();
  EXPECT_GT(check_journal(directory()).size(), 3u);
  EXPECT_EQ(run(options).code, 5);  // nothing has become worse
  expect_undisturbed_result(directory());
}

TEST_F(Survival, ADirectoryThatMayNotBeWrittenIsNamed) {
  ASSERT_EQ(run(with_fault("term@5.0")).code, 130) << err();
  const std::string own = directory();
  ChildOptions options = with_fault("");
  // Root may write everywhere, so it has to become somebody else.
  if (geteuid() == 0) options.user = 65534;
  options.err = "/dev/null";
  for (const std::string& place : {own, results() + "/tiny"}) {
    const std::string messages = root_ + "/messages.txt";
    write_text(messages, "");
    chmod(messages.c_str(), 0666);
    options.err = messages;
    options.out = "/dev/null";
    std::vector<fs::path> all = {place};
    for (const auto& entry : fs::recursive_directory_iterator(place)) all.push_back(entry.path());
    for (const fs::path& each : all) chmod(each.c_str(), fs::is_directory(each) ? 0555 : 0444);
    const Ended ended = run(
        options, place == own ? std::vector<std::string>() : std::vector<std::string>{"--fresh"});
    for (const fs::path& each : all) chmod(each.c_str(), fs::is_directory(each) ? 0755 : 0644);
    if (ended.code == 127) GTEST_SKIP() << "another user cannot run " << program_;
    EXPECT_EQ(ended.code, 5);
    EXPECT_NE(text_of(messages).find("this user may not write there"), std::string::npos)
        << text_of(messages);
    EXPECT_EQ(check_journal(own).size(), 5u);
  }
  expect_undisturbed_result(own);
}

TEST_F(Survival, AFullFileSystemCostsNothingThatWasMeasured) {
  const std::string mount = root_ + "/small";
  fs::create_directory(mount);
  // In a mount namespace of its own: a small tmpfs, a run, room, the run again, and a copy of all.
  const std::string script = root_ + "/script";
  write_text(script, "mount -t tmpfs -o size=112k,mode=777 none '" + mount +
                         "' || exit 77\n"
                         "p=\"" +
                         program_ + " run " + root_ + "/suite.toml --force --out " + mount +
                         "\"\n"
                         "$p 2> '" +
                         root_ + "/full.txt'; echo $? > '" + root_ +
                         "/full.code'\n"
                         "cp -r '" +
                         mount + "/tiny' '" + root_ +
                         "/full'\n"
                         "$p 2> /dev/null; echo $? >> '" +
                         root_ +
                         "/full.code'\n"
                         "mount -o remount,size=64m '" +
                         mount +
                         "' || exit 77\n"
                         "$p; code=$?\n"
                         "mkdir -p '" +
                         results() + "'; cp -r '" + mount + "/tiny' '" + results() +
                         "'\nexit $code\n");
  ChildOptions options = with_fault("");
  options.err = root_ + "/err.txt";
  options.environment["PRECIPICE_SCRATCH"] = root_ + "/scratch";
  Child child({"/usr/bin/unshare", geteuid() == 0 ? "-m" : "-rm", "/bin/sh", script}, options);
  const Ended ended = child.wait();
  if (ended.code == 77 || ended.code == 127 || ended.code == 1 ||
      text_of(root_ + "/full.code").empty())
    GTEST_SKIP() << "no file system can be mounted here: " << err();
  EXPECT_EQ(text_of(root_ + "/full.code"), "5\n5\n");
  const std::string message = text_of(root_ + "/full.txt");
  EXPECT_NE(message.find("No space left on device: free space there"), std::string::npos)
      << message;
  EXPECT_NE(message.find("to continue: "), std::string::npos) << message;
  EXPECT_EQ(ended.code, 0) << err();
  expect_same(directory());
  const fs::directory_iterator full(root_ + "/full");
  const std::string early = text_of(full->path() / "journal.jsonl");
  EXPECT_GT(std::count(early.begin(), early.end(), '\n'), 3);
  EXPECT_TRUE(text_of(directory() + "/journal.jsonl").starts_with(early))
      << "a failed append should take itself back";
}

TEST_F(Survival, AFullLogDoesNotEndTheRun) {
  for (const bool json : {true, false}) {
    ChildOptions options = with_fault("");
    options.out = options.err = "/dev/full";
    const Ended ended =
        run(options, json ? std::vector<std::string>{"--json"} : std::vector<std::string>());
    EXPECT_EQ(ended.code, 5);  // the table did not come out, but everything is in its place
    expect_same(directory());
    forget_results();
  }
}

}  // namespace
}  // namespace precipice::testing
