#include "harness/trial/server_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>

#include "models/options.hpp"
#include "workloads/descriptor.hpp"

namespace precipice {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr Nanos kQuickEndLimit = 10s;
constexpr Nanos kWaitLook = 2ms;

cpu_set_t mask_of(const CpuSet& cpus) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  for (const int cpu : cpus.list()) CPU_SET(cpu, &mask);
  return mask;
}

/// What the child needs between fork and exec, where nothing may be allocated.
struct ChildPlan {
  std::vector<char*> argv;
  const char* directory;
  const char* log;
  const std::optional<ServerUser>* user;
  int quick_end;
  pid_t parent;
  cpu_set_t mask;
};

bool become(const ServerUser& user) {
  return setgroups(0, nullptr) == 0 && setgid(user.group) == 0 && setuid(user.user) == 0;
}

/// Returns only where it fails, with errno.
void run_in_child(const ChildPlan& plan) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int ignored : {SIGPIPE, SIGXFSZ}) signal(ignored, SIG_DFL);
  setsid();
  // Where its CPUs are gone the trial says so; the server runs anywhere.
  sched_setaffinity(0, sizeof plan.mask, &plan.mask);
  const int in = open("/dev/null", O_RDONLY);
  const int out = open(plan.log, O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (in < 0 || out < 0 || dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
      dup2(out, STDERR_FILENO) < 0)
    return;
  for (const int own : {in, out}) {
    if (own > STDERR_FILENO) close(own);
  }
  if (plan.user->has_value() && !become(**plan.user)) return;
  if (chdir(plan.directory) != 0) return;
  // After the change of user, which would undo it.
  if (prctl(PR_SET_PDEATHSIG, plan.quick_end) != 0) return;
  if (getppid() != plan.parent) {  // dead already
    errno = ECHILD;
    return;
  }
  execv(plan.argv.front(), plan.argv.data());
}

}  // namespace

std::optional<ServerUser> unprivileged_user(const std::vector<std::string>& names) {
  if (geteuid() != 0) return std::nullopt;
  for (const std::string& name : names) {
    if (const passwd* entry = getpwnam(name.c_str()); entry != nullptr && entry->pw_uid != 0)
      return ServerUser{entry->pw_uid, entry->pw_gid};
  }
  constexpr ServerUser kNobody{65534, 65534};  // by number, where the machine has no list of users
  return kNobody;
}

ServerProcess::ServerProcess(const ServerCommand& command, const CpuSet& cpus)
    : quick_end_(command.quick_end) {
  const std::string program = fs::path(command.argv.front()).filename();
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    throw Unavailable(fmt::format("cannot start {}: {}", program, std::strerror(errno)));
  const Descriptor tells(ends[0]);
  Descriptor told(ends[1]);
  ChildPlan plan{{},
                 command.directory.c_str(),
                 command.log.c_str(),
                 &command.user,
                 quick_end_,
                 getpid(),
                 mask_of(cpus)};
  for (const std::string& word : command.argv) plan.argv.push_back(const_cast<char*>(word.c_str()));
  plan.argv.push_back(nullptr);
  pid_ = fork();
  if (pid_ == 0) {
    run_in_child(plan);
    const int error = errno;
    const ssize_t written = write(told.get(), &error, sizeof error);
    _exit(written == sizeof error ? 126 : 127);
  }
  if (pid_ < 0)
    throw Unavailable(fmt::format("cannot start {}: {}", program, std::strerror(errno)));
  told.reset();
  int error = 0;
  ssize_t got = 0;
  while ((got = read(tells.get(), &error, sizeof error)) < 0 && errno == EINTR) {
  }
  if (got == sizeof error) {  // nothing comes where the program has begun: exec closes the pipe
    wait(kQuickEndLimit);
    throw Unavailable(fmt::format("cannot run {}: {}", command.argv.front(), std::strerror(error)));
  }
}

ServerProcess::~ServerProcess() {
  if (!running()) return;
  kill(pid_, quick_end_);
  if (wait(kQuickEndLimit)) return;
  kill(pid_, SIGKILL);
  wait(kQuickEndLimit);
}

bool ServerProcess::running() {
  if (ended_) return false;
  int status = 0;
  const pid_t found = waitpid(pid_, &status, WNOHANG);
  if (found == 0 || (found < 0 && errno == EINTR)) return true;
  ended_ = true;
  if (found == pid_) exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return false;
}

bool ServerProcess::wait(Nanos limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (running()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(kWaitLook);
  }
  return true;
}

}  // namespace precipice
