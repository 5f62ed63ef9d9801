// precipice with faults: the program itself, linked so that some calls pass through here first
// (ld's --wrap). Without the variables below it does what precipice does.
//
//   PRECIPICE_FAULT        what happens, and where:
//     ACTION@N               at the N-th call that changes a file under PRECIPICE_FAULT_UNDER:
//                            kill, torn (half a write, then killed), full (ENOSPC or EIO, half of a
//                            write done), term (SIGTERM)
//     trickle                such writes take 997 bytes at most, and every other one fails with
//                            EINTR first
//     ACTION@T.R             at request R of trial T of this process (R = 0: before it begins):
//                            abort, segv, kill, term, hangup, term2, term3 (as many SIGTERM), stop,
//                            backend (the rpc backend stops), cut (PRECIPICE_FAULT_CUT is emptied)
//     unavailable@T.0        trial T and those after it lack something
//   PRECIPICE_FAULT_LOCKS  flock: there is no flock; none: no other lock either
//   PRECIPICE_FAULT_TRACE  a file: those calls, one a line
//   PRECIPICE_FAULT_VIRTUAL  trials of oracle on empty are simulated, so that a run takes no time
//                            and has one right answer
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "harness/trial/rpc_backend.hpp"
#include "harness/trial/simulated_trial.hpp"
#include "harness/trial/trial_runner.hpp"
#include "models/model.hpp"
#include "models/options.hpp"

// The wrapper and the wrapped, by the names that the linker gives them.
#define PRECIPICE_WRAP(result, name, symbol, ...)        \
  result real_##name(__VA_ARGS__) asm("__real_" symbol); \
  result wrap_##name(__VA_ARGS__) asm("__wrap_" symbol)

namespace {

using namespace precipice;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

struct Fault {
  std::string action;
  int call = 0;                ///< > 0: at this call
  int trial = 0, request = 0;  ///< trial > 0: there

  Fault() {
    const std::string text = variable("PRECIPICE_FAULT");
    const std::size_t at = text.find('@');
    action = text.substr(0, at);
    if (at == std::string::npos) return;
    const std::string where = text.substr(at + 1);
    const std::size_t dot = where.find('.');
    if (dot == std::string::npos) {
      call = std::stoi(where);
    } else {
      trial = std::stoi(where.substr(0, dot));
      request = std::stoi(where.substr(dot + 1));
    }
  }
};

const Fault& fault() {
  static const Fault one;
  return one;
}

void happen(const std::string& action);

/// Of calls on the run's files; the generator's thread is the only one that makes them.
class Calls {
 public:
  /// What is to be done about this one: "" for nothing.
  std::string next(const char* name, const std::string& path) {
    if (under_.empty() || path.find(under_) == std::string::npos) return "";
    ++count_;
    if (!trace_.empty()) {
      if (std::FILE* file = std::fopen(trace_.c_str(), "a")) {
        std::fprintf(file, "%s %s\n", name, path.c_str());
        std::fclose(file);
      }
    }
    if (fault().action == "trickle") return "trickle";
    return fault().call == count_ ? fault().action : "";
  }
  std::string next(const char* name, int fd) {
    if (under_.empty()) return "";
    char path[4096];
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    const ssize_t length = readlink(link.c_str(), path, sizeof path);
    return next(name, std::string(path, length > 0 ? static_cast<std::size_t>(length) : 0));
  }

 private:
  const std::string under_ = variable("PRECIPICE_FAULT_UNDER");
  const std::string trace_ = variable("PRECIPICE_FAULT_TRACE");
  int count_ = 0;
};

Calls& calls() {
  static Calls one;
  return one;
}

/// True when the call is to fail with `error`.
bool strikes(const std::string& action, int error) {
  if (action == "full") {
    errno = error;
    return true;
  }
  happen(action == "torn" ? "kill" : action);
  return false;
}

std::atomic<int> trials{0};
Backend* backend = nullptr;

void happen(const std::string& action) {
  if (action == "kill") raise(SIGKILL);
  if (action == "stop") raise(SIGSTOP);
  if (action == "abort") std::abort();
  if (action == "segv") raise(SIGSEGV);
  if (action == "hangup") raise(SIGHUP);
  if (action == "backend" && backend != nullptr) backend->stop();
  if (action == "cut" && truncate(variable("PRECIPICE_FAULT_CUT").c_str(), 0) != 0) std::abort();
  if (action.starts_with("term")) {
    for (int times = action == "term" ? 1 : action.back() - '0'; times > 0; --times) raise(SIGTERM);
  }
}

void reach(int request) {
  if (fault().trial == trials.load() && fault().request == request) happen(fault().action);
}

/// Passes everything on, and counts the requests.
class Watched final : public Model {
 public:
  explicit Watched(std::unique_ptr<Model> model) : model_(std::move(model)) {}
  unsigned executors(const CpuSet& cpus) const override { return model_->executors(cpus); }
  void start(const ModelSetup& setup) override { model_->start(setup); }
  Refusal submit(const Request& request) noexcept override {
    reach(++requests_);
    return model_->submit(request);
  }
  void shutdown(Time deadline) noexcept override { model_->shutdown(deadline); }
  std::uint64_t in_flight() const noexcept override { return model_->in_flight(); }
  ModelStats stats() const override { return model_->stats(); }

 private:
  std::unique_ptr<Model> model_;
  std::atomic<int> requests_{0};
};

std::unique_ptr<Model> (*make_fixed_pool)(const Options&) = nullptr;

}  // namespace

PRECIPICE_WRAP(ModelInfo, fixed_pool, "_ZN9precipice16fixed_pool_modelEv");
ModelInfo wrap_fixed_pool() {
  ModelInfo info = real_fixed_pool();
  make_fixed_pool = info.make;
  info.make = [](const Options& options) -> std::unique_ptr<Model> {
    return std::make_unique<Watched>(make_fixed_pool(options));
  };
  return info;
}

PRECIPICE_WRAP(Trial, run, "_ZN9precipice11TrialRunner3runERKNS_12TrialRequestE",
               TrialRunner* runner, const TrialRequest& request);
Trial wrap_run(TrialRunner* runner, const TrialRequest& request) {
  ++trials;
  reach(0);
  if (fault().action == "unavailable" && trials.load() >= fault().trial)
    throw Unavailable("the kernel refuses a thread");
  if (variable("PRECIPICE_FAULT_VIRTUAL").empty()) return real_run(runner, request);
  TrialRequest simulated = request;
  simulated.clock = ClockKind::virtual_time;
  Trial trial = simulate_trial(simulated);
  trial.elapsed_s = 0;
  return trial;
}

PRECIPICE_WRAP(void, backend, "_ZN9precipice7BackendC1ERKNS_6CpuSetENS_13BackendThreadE",
               Backend* made, const CpuSet& cpus, BackendThread thread);
void wrap_backend(Backend* made, const CpuSet& cpus, BackendThread thread) {
  real_backend(made, cpus, thread);
  backend = made;
}

PRECIPICE_WRAP(void, no_backend, "_ZN9precipice7BackendD1Ev", Backend* gone);
void wrap_no_backend(Backend* gone) {
  backend = nullptr;
  real_no_backend(gone);
}

PRECIPICE_WRAP(ssize_t, write, "write", int fd, const void* bytes, std::size_t size);
ssize_t wrap_write(int fd, const void* bytes, std::size_t size) {
  // A run's files only; a signal handler writes to standard error, and may not allocate.
  if (fd <= STDERR_FILENO) return real_write(fd, bytes, size);
  const std::string action = calls().next("write", fd);
  if (action == "trickle") {
    static bool interrupted = false;
    interrupted = !interrupted;
    if (interrupted) {
      errno = EINTR;
      return -1;
    }
    return real_write(fd, bytes, std::min<std::size_t>(size, 997));
  }
  static bool out_of_room = false;
  if (out_of_room) {
    out_of_room = false;
    errno = ENOSPC;
    return -1;
  }
  if ((action == "torn" || action == "full") && size > 1) {
    const ssize_t half = real_write(fd, bytes, size / 2);
    if (action == "torn") raise(SIGKILL);
    out_of_room = true;
    return half;
  }
  if (strikes(action, ENOSPC)) return -1;
  return real_write(fd, bytes, size);
}

PRECIPICE_WRAP(int, fsync, "fsync", int fd);
int wrap_fsync(int fd) {
  if (strikes(calls().next("fsync", fd), EIO)) return -1;
  return real_fsync(fd);
}

PRECIPICE_WRAP(int, ftruncate, "ftruncate", int fd, off_t size);
int wrap_ftruncate(int fd, off_t size) {
  if (strikes(calls().next("ftruncate", fd), EIO)) return -1;
  return real_ftruncate(fd, size);
}

PRECIPICE_WRAP(int, rename, "rename", const char* from, const char* to);
int wrap_rename(const char* from, const char* to) {
  if (strikes(calls().next("rename", std::string(to)), ENOSPC)) return -1;
  return real_rename(from, to);
}

PRECIPICE_WRAP(int, mkdir, "mkdir", const char* path, mode_t mode);
int wrap_mkdir(const char* path, mode_t mode) {
  if (strikes(calls().next("mkdir", std::string(path)), ENOSPC)) return -1;
  return real_mkdir(path, mode);
}

PRECIPICE_WRAP(int, flock, "flock", int fd, int operation);
int wrap_flock(int fd, int operation) {
  if (!variable("PRECIPICE_FAULT_LOCKS").empty()) {
    errno = ENOLCK;
    return -1;
  }
  return real_flock(fd, operation);
}

PRECIPICE_WRAP(int, fcntl, "fcntl", int fd, int command, ...);
int wrap_fcntl(int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  if (command == F_OFD_SETLK && variable("PRECIPICE_FAULT_LOCKS") == "none") {
    errno = EINVAL;
    return -1;
  }
  return real_fcntl(fd, command, argument);
}
