#include "models/ring_setup.hpp"

#include <sched.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "models/options.hpp"

namespace precipice {
namespace {

struct Attempt {
  unsigned flags;
  const char* lacking;  // what a kernel that refuses it lacks
};

// From the best down. DEFER_TASKRUN runs completions only when the owner asks for them (6.1) and
// needs SINGLE_ISSUER (6.0); COOP_TASKRUN spares the interrupt that would otherwise announce them
// (5.19); TASKRUN_FLAG shows without a system call that some are pending. io_uring_setup(2).
constexpr Attempt kAttempts[] = {
    {IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
         IORING_SETUP_SUBMIT_ALL,
     "no DEFER_TASKRUN (kernel before 6.1)"},
    {IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL,
     "no COOP_TASKRUN (kernel before 5.19)"},
    {0, ""},
};

// NODROP keeps completions that find the queue full (5.5); FAST_POLL waits for sockets without a
// kernel thread each (5.7), and without it this would be a thread pool.
constexpr unsigned kNeeded = IORING_FEAT_NODROP | IORING_FEAT_FAST_POLL;

std::string disabled_setting() {
  std::ifstream file("/proc/sys/kernel/io_uring_disabled");
  std::string value;
  file >> value;
  return value;
}

std::string reason_for(int error) {
  const std::string setting = disabled_setting();
  if (error == EPERM && !setting.empty() && setting != "0") {
    return "io_uring is switched off (kernel.io_uring_disabled=" + setting +
           "); as root: sysctl kernel.io_uring_disabled=0";
  }
  if (error == ENOSYS || error == EPERM || error == EACCES) {
    return "io_uring_setup is refused (" + std::string(std::strerror(error)) +
           "): the kernel is older than 5.1 or a container's seccomp filter forbids it; "
           "use a newer kernel, or run the container with a profile that allows io_uring";
  }
  if (error == ENOMEM) {
    return "no memory for a ring (" + std::string(std::strerror(error)) +
           "); raise the limit on locked memory (ulimit -l) or lower entries";
  }
  if (error == EMFILE || error == ENFILE) {
    return "no descriptor left for a ring; raise the limit (ulimit -n)";
  }
  return "io_uring_setup failed: " + std::string(std::strerror(error));
}

}  // namespace

RingHandle::RingHandle(unsigned entries, unsigned completions) {
  int error = EINVAL;
  for (const Attempt& attempt : kAttempts) {
    io_uring_params params{};
    params.flags = attempt.flags | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
    params.cq_entries = completions;
    error = -io_uring_queue_init_params(entries, &ring_, &params);
    if (error == 0) break;
    if (error != EINVAL) break;  // only EINVAL means that a flag is unknown
    fallbacks_.emplace_back(attempt.lacking);
  }
  if (error != 0) throw Unavailable(reason_for(error));
  if ((ring_.features & kNeeded) != kNeeded) {
    io_uring_queue_exit(&ring_);
    throw Unavailable(
        "io_uring of this kernel cannot wait for sockets by polling; use 5.7 or newer");
  }
  // Spares a look-up of the descriptor at every enter (5.18); nothing is lost without it.
  io_uring_register_ring_fd(&ring_);
}

RingHandle::~RingHandle() { io_uring_queue_exit(&ring_); }

void RingHandle::cap_workers(unsigned workers, const CpuSet& cpus) {
  unsigned limits[2] = {workers, workers};  // bounded (files), unbounded (all else)
  if (io_uring_register_iowq_max_workers(&ring_, limits) != 0) {
    fallbacks_.emplace_back("io-wq workers not capped (kernel before 5.15)");
  }
  const auto most = static_cast<std::size_t>(cpus.list().back()) + 1;
  cpu_set_t* set = CPU_ALLOC(most);
  if (set == nullptr) return;
  const std::size_t bytes = CPU_ALLOC_SIZE(most);
  CPU_ZERO_S(bytes, set);
  for (const int cpu : cpus.list()) CPU_SET_S(static_cast<std::size_t>(cpu), bytes, set);
  if (io_uring_register_iowq_aff(&ring_, bytes, set) != 0) {
    fallbacks_.emplace_back("io-wq workers not pinned (kernel before 5.14)");
  }
  CPU_FREE(set);
}

void RingHandle::register_files(const std::vector<int>& files) {
  if (files.empty()) return;
  const int error =
      -io_uring_register_files(&ring_, files.data(), static_cast<unsigned>(files.size()));
  if (error != 0) {
    fallbacks_.emplace_back("files not registered: " + std::string(std::strerror(error)));
    return;
  }
  const int most = *std::max_element(files.begin(), files.end());
  fixed_files_.assign(static_cast<std::size_t>(std::max(most, 0)) + 1, -1);
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (files[i] >= 0) fixed_files_[static_cast<std::size_t>(files[i])] = static_cast<int>(i);
  }
}

bool RingHandle::register_buffer(std::byte* data, std::size_t bytes) {
  const iovec memory{data, bytes};
  const int error = -io_uring_register_buffers(&ring_, &memory, 1);
  if (error == 0) return true;
  fallbacks_.emplace_back("buffers not registered: " + std::string(std::strerror(error)) +
                          (error == ENOMEM ? " (raise ulimit -l)" : ""));
  return false;
}

std::optional<std::string> ring_unavailable() {
  try {
    const RingHandle probe(2, 4);
    return std::nullopt;
  } catch (const Unavailable& reason) {
    return reason.what();
  }
}

unsigned ring_workers(int owner) {
  const std::string name = "iou-wrk-" + std::to_string(owner);
  unsigned count = 0;
  std::error_code failed;
  std::filesystem::directory_iterator tasks("/proc/self/task", failed);
  for (; !failed && tasks != std::filesystem::directory_iterator(); tasks.increment(failed)) {
    std::ifstream file(tasks->path() / "comm");
    std::string comm;
    if (std::getline(file, comm) && comm == name) ++count;
  }
  return count;
}

}  // namespace precipice
