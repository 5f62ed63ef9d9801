// A wish to stop is heeded by the program as a process, as a user meets it.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "tests/support/child_process.hpp"
#include "tests/support/run_fixture.hpp"

namespace precipice::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class StoppingProcess : public RunUnderTest {
 protected:
  /// CPU time, in ticks, of the model's threads; they compute once requests are under way.
  static long model_ticks(pid_t pid) {
    long ticks = 0;
    std::error_code gone;
    for (fs::directory_iterator each("/proc/" + std::to_string(pid) + "/task", gone), end;
         !gone && each != end; each.increment(gone)) {
      std::ifstream file(each->path() / "stat");
      std::string text;
      std::getline(file, text);
      if (text.find("(pool-") == std::string::npos) continue;
      std::istringstream fields(text.substr(text.rfind(')') + 1));
      std::string skipped;
      for (int i = 3; i < 14; ++i) fields >> skipped;
      long user = 0;
      fields >> user;
      ticks += user;
    }
    return ticks;
  }
  template <class Condition>
  static void wait_until(Child& child, Condition condition) {
    while (child.running() && !condition()) std::this_thread::sleep_for(5ms);
  }
  bool err_says(const std::string& text) const { return err().find(text) != std::string::npos; }
};

TEST_F(StoppingProcess, SaysThatRequestsAreUnderWayAndEndsWithTheSecondSignal) {
  ChildOptions options;
  options.err = root_ + "/err.txt";
  options.environment["PRECIPICE_SCRATCH"] = root_ + "/scratch";
  Child child({PRECIPICE_BINARY, "trial", "--model", "fixed_pool:threads=2", "--workload",
               "cpu:work=1m", "--rate", "1k", "--seconds", "10m", "--warmup", "0"},
              options);
  wait_until(child, [&] { return model_ticks(child.pid()) > 0; });
  child.send(SIGINT);
  wait_until(child, [&] { return err_says("once more to stop at once"); });
  EXPECT_TRUE(err_says("requests of 60 s are under way")) << err();
  EXPECT_TRUE(child.running()) << "a computation cannot be ended";
  child.send(SIGINT);
  EXPECT_EQ(child.wait().code, 130) << err();
  EXPECT_TRUE(err_says("precipice: interrupted")) << err();
}

}  // namespace
}  // namespace precipice::testing
