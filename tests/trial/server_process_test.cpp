// Server programs as children: whom they run as and where, what they use, and that they end with
// the process that started them, however that ends.
#include "harness/trial/server_process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "harness/trial/private_directory.hpp"
#include "harness/trial/process_family.hpp"
#include "models/options.hpp"
#include "tests/support/started_server.hpp"

namespace precipice {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

/// Of this process alone: tests that run beside this one remove what dead processes leave.
std::string prefix() { return "precipice-servertest-" + std::to_string(getpid()) + "-"; }

ServerCommand shell(const PrivateDirectory& directory, const std::string& script) {
  return {.argv = {"/bin/sh", "-c", script},
          .directory = directory.path(),
          .log = directory.path() + "/log",
          .quick_end = SIGKILL};
}

std::string contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(ServerProcess, RunsInItsDirectoryAndInASessionOfItsOwn) {
  const PrivateDirectory directory(prefix());
  ServerProcess process(shell(directory, "pwd; exec sleep 600"), CpuSet::of_this_thread());
  while (contents(directory.path() + "/log").empty()) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(contents(directory.path() + "/log"), directory.path() + "\n");
  EXPECT_TRUE(process.running());
  EXPECT_EQ(getsid(process.pid()), process.pid());
  EXPECT_NE(getsid(process.pid()), getsid(0));
}

TEST(ServerProcess, TellsHowItEnded) {
  const PrivateDirectory directory(prefix());
  ServerProcess process(shell(directory, "exit 7"), CpuSet::of_this_thread());
  EXPECT_TRUE(process.wait(1min));
  EXPECT_FALSE(process.running());
  EXPECT_EQ(process.exit_code(), 7);
  ServerProcess killed(shell(directory, "kill -9 $$"), CpuSet::of_this_thread());
  EXPECT_TRUE(killed.wait(1min));
  EXPECT_EQ(killed.exit_code(), 128 + SIGKILL);
}

TEST(ServerProcess, NamesAProgramThatCannotBeRun) {
  const PrivateDirectory directory(prefix());
  ServerCommand command = shell(directory, "");
  command.argv = {"/nowhere/server"};
  try {
    const ServerProcess process(command, CpuSet::of_this_thread());
    FAIL();
  } catch (const Unavailable& error) {
    EXPECT_EQ(std::string(error.what()), "cannot run /nowhere/server: No such file or directory");
  }
}

TEST(ServerProcess, IsAnotherUsersWhereThisOneIsRoot) {
  const auto user = unprivileged_user({"no-such-user-here"});
  if (geteuid() != 0) {
    EXPECT_FALSE(user);
    GTEST_SKIP() << "only root has another user to become";
  }
  ASSERT_TRUE(user);
  const PrivateDirectory directory(prefix());
  ServerCommand command = shell(directory, "id -u; id -g; id -G");
  command.user = user;
  ServerProcess process(command, CpuSet::of_this_thread());
  ASSERT_TRUE(process.wait(1min));
  EXPECT_EQ(contents(command.log), std::to_string(user->user) + "\n" + std::to_string(user->group) +
                                       "\n" + std::to_string(user->group) + "\n");
}

TEST(ServerProcess, IsPlacedWithItsChildren) {
  const PrivateDirectory directory(prefix());
  const CpuSet last({CpuSet::of_this_thread().list().back()});
  ServerProcess process(shell(directory, "sleep 600 & sleep 600 & wait"), CpuSet::of_this_thread());
  while (family_of(process.pid()).size() < 3) std::this_thread::sleep_for(1ms);
  place_family(process.pid(), last);
  for (const pid_t member : family_of(process.pid())) {
    cpu_set_t mask;
    ASSERT_EQ(sched_getaffinity(member, sizeof mask, &mask), 0);
    EXPECT_EQ(CPU_COUNT(&mask), 1);
    EXPECT_TRUE(CPU_ISSET(last.list().front(), &mask));
    EXPECT_TRUE(is_bound_to(member, last));
    EXPECT_TRUE(is_bound_to(member, CpuSet::of_this_thread()));
    EXPECT_FALSE(is_bound_to(member, CpuSet({last.list().front() + 1})));
  }
  for (const pid_t member : family_of(process.pid())) {
    if (member != process.pid()) ::kill(member, SIGKILL);
  }
}

TEST(ServerProcess, CountsTheTimeOfChildrenThatRunAndThatHaveEnded) {
  const PrivateDirectory directory(prefix());
  const std::string busy = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
  ServerProcess process(shell(directory, "sh -c '" + busy + "; echo done; exec sleep 600'"),
                        CpuSet::of_this_thread());
  while (contents(directory.path() + "/log").empty()) std::this_thread::sleep_for(1ms);
  const double running_ns = family_cpu_ns(process.pid());
  EXPECT_GT(running_ns, 1e6);
  ServerProcess other(shell(directory, "sh -c '" + busy + "'; echo ended; sleep 600 & wait"),
                      CpuSet::of_this_thread());
  while (contents(directory.path() + "/log").find("ended") == std::string::npos)
    std::this_thread::sleep_for(1ms);
  EXPECT_GT(family_cpu_ns(other.pid()), running_ns / 10);
  for (const pid_t shell_of : {process.pid(), other.pid()}) {
    for (const pid_t member : family_of(shell_of)) {
      if (member != shell_of) ::kill(member, SIGKILL);
    }
  }
}

TEST(ServerProcess, EndsWithAProcessThatIsKilledAndItsDirectoryWithTheNext) {
  const std::string shared = prefix();
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const pid_t child = fork();
  if (child == 0) {
    const PrivateDirectory directory(shared);
    const ServerProcess process(shell(directory, "exec sleep 600"), CpuSet::of_this_thread());
    const pid_t server = process.pid();
    const ssize_t told = write(ends[1], &server, sizeof server) +
                         write(ends[1], directory.path().c_str(), directory.path().size());
    if (told > 0) pause();
    _exit(1);
  }
  pid_t server = 0;
  ASSERT_EQ(read(ends[0], &server, sizeof server), static_cast<ssize_t>(sizeof server));
  std::string path(256, '\0');
  path.resize(static_cast<std::size_t>(read(ends[0], path.data(), path.size())));
  EXPECT_TRUE(testing::is_alive(server));
  {
    const PrivateDirectory other(shared);  // of a process that lives nothing is removed
    EXPECT_TRUE(fs::exists(path));
  }
  ::kill(child, SIGKILL);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  while (testing::is_alive(server)) std::this_thread::sleep_for(1ms);
  EXPECT_TRUE(fs::exists(path));
  const PrivateDirectory next(shared);
  EXPECT_FALSE(fs::exists(path));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(PrivateDirectory, IsRemovedWithEverythingInIt) {
  std::string path;
  {
    const PrivateDirectory directory(prefix());
    path = directory.path();
    fs::create_directories(path + "/a/b");
    std::ofstream(path + "/a/b/c") << "text";
    struct stat status {};
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0711U);
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST(ProcessFamily, FindsWhoListens) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  EXPECT_FALSE(process_listening_on(address));
  ASSERT_EQ(listen(listener, 1), 0);
  EXPECT_EQ(process_listening_on(address), getpid());
  ::close(listener);
  EXPECT_FALSE(process_listening_on(address));
}

}  // namespace
}  // namespace precipice
