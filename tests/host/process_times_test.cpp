#include "harness/host/process_times.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "harness/store/temporary_directory.hpp"

namespace precipice {
namespace {

/// Fields 3 to 39 of /proc/PID/stat (proc(5)); user and system time are equal.
std::string stat_line(int pid, const std::string& name, char state, int ticks, int threads,
                      int started, int cpu) {
  std::string line = std::to_string(pid) + " (" + name + ") " + state;
  for (int field = 4; field <= 39; ++field) {
    const int value = field == 14 || field == 15 ? ticks / 2
                      : field == 20              ? threads
                      : field == 22              ? started
                      : field == 39              ? cpu
                                                 : 7;
    line += ' ' + std::to_string(value);
  }
  return line + " 0 0\n";
}

/// A /proc that is written as a test wants it.
class FakeProc {
 public:
  void process(int pid, const std::string& name, int ticks, int cpu, int threads = 1,
               int started = 5) {
    write(std::to_string(pid), stat_line(pid, name, 'S', ticks, threads, started, cpu));
  }
  void thread(int pid, int tid, char state, int cpu) {
    write(std::to_string(pid) + "/task/" + std::to_string(tid),
          stat_line(tid, "worker", state, 0, 1, 5, cpu));
  }
  std::string path() const { return directory_.path(); }

 private:
  void write(const std::string& name, const std::string& line) {
    const std::filesystem::path place = std::filesystem::path(path()) / name;
    std::filesystem::create_directories(place);
    std::ofstream(place / "stat") << line;
  }
  TemporaryDirectory directory_{"precipice-fake-proc"};
};

TEST(ProcessTimes, ReadsANameThatLooksLikeFields) {
  const auto process = parse_process_stat(stat_line(42, "a) R 1 (b\n", 'R', 30, 4, 99, 3));
  ASSERT_TRUE(process);
  EXPECT_EQ(process->pid, 42);
  EXPECT_EQ(process->name, "a) R 1 (b\n");
  EXPECT_EQ(process->cpu_ticks, 30);
  EXPECT_EQ(process->threads, 4);
  EXPECT_EQ(process->started, 99U);
  EXPECT_EQ(process->cpu, 3);
  EXPECT_TRUE(process->running);
  EXPECT_FALSE(parse_process_stat(""));
  EXPECT_FALSE(parse_process_stat("42 (cut off) R 1 2 3"));
  EXPECT_FALSE(parse_process_stat(")("));
}

TEST(ProcessTimes, NamesWhoUsedTheCpusTheLargestFirst) {
  FakeProc proc;
  proc.process(1, "init", 500, 0);
  proc.process(10, "light", 100, 1);
  proc.process(11, "heavy", 100, 1);
  proc.process(12, "elsewhere", 100, 5);
  proc.process(13, "ourselves", 100, 0);
  proc.process(14, "old", 9000, 0, 1, 5);
  const auto before = read_processes(proc.path());
  EXPECT_EQ(before.size(), 6U);
  proc.process(10, "light", 110, 1);
  proc.process(11, "heavy", 280, 1);
  proc.process(12, "elsewhere", 300, 5);
  proc.process(13, "ourselves", 300, 0);
  proc.process(14, "pid again", 40, 0, 1, 77);
  proc.process(15, "young", 60, 0);
  const auto used = processes_between(before, read_processes(proc.path()), 2, 100, CpuSet({0, 1}),
                                      13, 0.01, proc.path());
  ASSERT_EQ(used.size(), 4U);
  EXPECT_EQ(used[0].name, "heavy");
  EXPECT_EQ(used[0].pid, 11);
  EXPECT_DOUBLE_EQ(used[0].share, 0.9);
  EXPECT_EQ(used[1].name, "young") << "it began meanwhile: all of its time counts";
  EXPECT_DOUBLE_EQ(used[1].share, 0.3);
  EXPECT_EQ(used[2].name, "pid again") << "another process by the same number";
  EXPECT_DOUBLE_EQ(used[2].share, 0.2);
  EXPECT_EQ(used[3].name, "light");
}

TEST(ProcessTimes, AProcessOfManyThreadsIsWhereTheyRun) {
  FakeProc proc;
  proc.process(20, "pool", 100, 0, 3);
  const auto before = read_processes(proc.path());
  proc.process(20, "pool", 300, 0, 3);
  proc.thread(20, 20, 'S', 0);
  proc.thread(20, 21, 'R', 6);
  const auto used_of = [&](const CpuSet& cpus) {
    return processes_between(before, read_processes(proc.path()), 2, 100, cpus, 1, 0.01,
                             proc.path());
  };
  EXPECT_TRUE(used_of(CpuSet({0})).empty()) << "the thread that runs is elsewhere";
  EXPECT_EQ(used_of(CpuSet({6})).size(), 1U);
  proc.thread(20, 21, 'S', 6);
  EXPECT_EQ(used_of(CpuSet({0})).size(), 1U) << "none runs now: all count";
}

}  // namespace
}  // namespace precipice
