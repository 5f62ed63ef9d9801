// Which CPUs are used, which may be named, and what happens when one is taken away.
#include "harness/host/cpu_choice.hpp"

#include <dirent.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include "harness/host/host_watch.hpp"
#include "models/cpu_set.hpp"

namespace precipice {
namespace {

// More than any machine that runs this has, fewer than what CpuSet can hold.
constexpr int kNoSuchCpu = 8191;

std::string chosen(const CpuOffer& offer, std::vector<int> generator = {},
                   std::vector<int> model = {}) {
  const CpuChoice choice =
      choose_cpus(offer, CpuSet(std::move(generator)), CpuSet(std::move(model)));
  return choice.generator.to_string() + " | " + choice.model.to_string() +
         (choice.remark.empty() ? "" : " | " + choice.remark);
}

TEST(CpuChoice, TheGeneratorHasTheFirstCpuAndTheModelTheOthers) {
  EXPECT_EQ(chosen({CpuSet({0, 1, 2, 3}), {}, {}}), "0 | 1-3");
  EXPECT_EQ(chosen({CpuSet({5}), {}, {}}), "5 | 5");
  EXPECT_EQ(chosen({CpuSet({0, 1, 2, 3}), {}, {}}, {2}), "2 | 0-1,3");
  EXPECT_EQ(chosen({CpuSet({0, 1, 2, 3}), {}, {}}, {}, {0, 1}), "2 | 0-1");
  EXPECT_EQ(chosen({CpuSet({0, 1}), {}, {}}, {7}, {6}), "7 | 6") << "what was given stays";
}

TEST(CpuChoice, TheModelIsNotGivenTheHardwareThreadBesideTheGenerator) {
  const std::vector<CpuSet> cores = {CpuSet({0, 4}), CpuSet({1, 5}), CpuSet({2, 6}),
                                     CpuSet({3, 7})};
  const CpuSet all({0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_EQ(chosen({all, cores, {}}),
            "0 | 1-3,5-7 | the model does not get CPU 4: they are hardware threads of the "
            "generator's cores");
  EXPECT_EQ(chosen({all, cores, {}}, {1}).substr(0, 15), "1 | 0,2-4,6-7 |");
  EXPECT_EQ(chosen({all, cores, {}}, {}, {0, 1}), "2 | 0-1");
  EXPECT_EQ(chosen({CpuSet({0, 4}), cores, {}}), "0 | 4") << "one core: there is no other";
  EXPECT_EQ(chosen({all, cores, {}}, {0}, {4}), "0 | 4") << "what was given stays";
}

TEST(CpuChoice, AQuotaOfWholeCpusBoundsTheModels) {
  const CpuSet all({0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_EQ(chosen({all, {}, 4.5}),
            "0 | 1-3 | the model does not get CPU 4-7: the cgroup's CPU quota of 4.50 CPUs would "
            "be spent");
  EXPECT_EQ(chosen({all, {}, 8}), "0 | 1-7");
  EXPECT_EQ(chosen({CpuSet({0, 1}), {}, 1.2}), "0 | 1") << "there is no smaller set apart";
  EXPECT_EQ(chosen({all, {}, 2}, {}, {1, 2, 3}), "0 | 1-3") << "what was given stays";
}

TEST(CpuSet, MayNameACpuOutsideTheProcesssMaskThatTheKernelGrants) {
  const CpuSet allowed = CpuSet::of_this_thread();
  if (allowed.size() < 2) GTEST_SKIP() << "one CPU: none is outside the mask";
  std::thread([&] {
    const CpuSet first({allowed.list().front()});
    pin_this_thread(first);
    const std::string last = std::to_string(allowed.list().back());
    EXPECT_EQ(CpuSet::parse(last).to_string(), last);
    EXPECT_EQ(CpuSet::of_this_thread().list(), first.list()) << "the mask is as it was";
  }).join();
}

TEST(CpuSet, MayNotNameACpuThatTheKernelRefuses) {
  const std::string both =
      std::to_string(CpuSet::of_this_thread().list().front()) + "," + std::to_string(kNoSuchCpu);
  const CpuSet before = CpuSet::of_this_thread();
  for (const std::string& text : {std::to_string(kNoSuchCpu), both}) {
    try {
      CpuSet::parse(text);
      FAIL() << text;
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find("may not use CPU 8191"), std::string::npos)
          << error.what();
    }
  }
  EXPECT_EQ(CpuSet::of_this_thread().list(), before.list());
}

TEST(PinThisThread, NamesTheCpusThatAreGoneEvenWhereTheKernelGrantsTheOthers) {
  std::thread([] {
    try {
      pin_this_thread(CpuSet({CpuSet::of_this_thread().list().front(), kNoSuchCpu}));
      ADD_FAILURE() << "the kernel drops it without a word";
    } catch (const CpusGone& gone) {
      EXPECT_TRUE(std::string(gone.what()).starts_with("CPU 8191 is gone")) << gone.what();
    }
    EXPECT_THROW(pin_this_thread(CpuSet({kNoSuchCpu})), CpusGone);
    EXPECT_THROW(pin_this_thread(CpuSet()), Unavailable);
  }).join();
}

/// Moves the thread of this process that has the name to another CPU, as a shrinking cpuset does.
bool move_thread(const std::string& name, int cpu) {
  bool moved = false;
  DIR* const tasks = opendir("/proc/self/task");
  if (tasks == nullptr) return false;
  while (const dirent* entry = readdir(tasks)) {
    std::string its_name;
    std::getline(std::ifstream("/proc/self/task/" + std::string(entry->d_name) + "/comm"),
                 its_name);
    if (its_name != name) continue;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    moved = sched_setaffinity(std::atoi(entry->d_name), sizeof set, &set) == 0;
  }
  closedir(tasks);
  return moved;
}

TEST(HostWatch, SeesThatACpuIsTakenAwayUnderIt) {
  const CpuSet allowed = CpuSet::of_this_thread();
  if (allowed.size() < 2) GTEST_SKIP() << "one CPU: there is none to be moved to";
  const int first = allowed.list().front(), last = allowed.list().back();
  const Time from = Clock::now();
  HostWatch taken(CpuSet({last}));
  ASSERT_TRUE(move_thread("host-probe", first));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(taken.end(from, Clock::now()).gone().to_string(), std::to_string(last));

  HostWatch kept(CpuSet({first}));
  EXPECT_TRUE(kept.end(from, Clock::now()).gone().empty());
  HostWatch missing(CpuSet({first, kNoSuchCpu}));
  EXPECT_EQ(missing.end(from, Clock::now()).gone().to_string(), "8191");
}

}  // namespace
}  // namespace precipice
