#include "tests/support/child_process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <string>
#include <thread>

namespace precipice::testing {
namespace {

/// Ends the child where it cannot become what it should.
[[noreturn]] void become(const std::vector<char*>& argv, const std::vector<char*>& environment,
                         const ChildOptions& options) {
  const int out = open(options.out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
  const int err = open(options.err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
  const int in = open("/dev/null", O_RDONLY);
  dup2(in, 0);
  dup2(out, 1);
  dup2(err, 2);
  if (options.largest_file) {
    const rlimit limit{*options.largest_file, *options.largest_file};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  if (options.user && setresuid(*options.user, *options.user, *options.user) != 0) _exit(126);
  execve(argv.front(), argv.data(), environment.data());
  _exit(127);
}

}  // namespace

Child::Child(const std::vector<std::string>& argv, const ChildOptions& options) {
  // Everything is made before the fork: after it only system calls.
  std::vector<std::string> variables;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string text = *each;
    if (!options.environment.contains(text.substr(0, text.find('=')))) variables.push_back(text);
  }
  for (const auto& [name, value] : options.environment) variables.push_back(name + "=" + value);
  std::vector<char*> words, environment;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  for (const std::string& each : variables) environment.push_back(const_cast<char*>(each.c_str()));
  words.push_back(nullptr);
  environment.push_back(nullptr);
  pid_ = fork();
  if (pid_ == 0) become(words, environment, options);
}

Child::~Child() {
  if (!running()) return;
  send(SIGKILL);
  wait();
}

bool Child::running() {
  if (ended_ || pid_ < 0) return false;
  int status = 0;
  const pid_t got = waitpid(pid_, &status, WNOHANG);
  if (got != pid_) return true;
  Ended ended;
  if (WIFEXITED(status)) ended.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
  ended_ = ended;
  return false;
}

bool Child::stopped() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t state = line.rfind(") ");  // a name may hold anything
  return state != std::string::npos && line.compare(state + 2, 1, "T") == 0;
}

void Child::send(int signal) {
  if (running()) kill(pid_, signal);
}

Ended Child::wait() {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  while (running()) {
    if (std::chrono::steady_clock::now() > limit) {
      ADD_FAILURE() << "it hangs";
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
      ended_ = Ended{};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return ended_.value_or(Ended{});
}

}  // namespace precipice::testing
