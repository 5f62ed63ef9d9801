// At which load this machine's limits end a series, and what else about storage and build changes a
// number.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/host/doctor_checks.hpp"
#include "harness/host/examination.hpp"
#include "harness/host/proc_text.hpp"
#include "harness/json.hpp"

namespace precipice {
namespace {

constexpr double kMiB = 1 << 20;

/// A limit as a number; "unlimited" is infinite, what is not shown NaN.
double limit_of(const Json& environment, const char* name, const char* which) {
  const Json value = at(environment, {"limits", name, which});
  if (value.is_string()) return HUGE_VAL;
  return value.is_number() ? value.get<double>() : std::nan("");
}

std::string thread_cure(const std::string& limited_by) {
  if (limited_by == "pid_max") return "sysctl -w kernel.pid_max=4194304";
  if (limited_by == "threads_max") return "sysctl -w kernel.threads-max=1000000";
  if (limited_by == "max_map_count") return "sysctl -w vm.max_map_count=1048576";
  if (limited_by == "nproc")
    return "ulimit -u unlimited (above the hard limit: nproc in /etc/security/limits.conf)";
  return "docker update --pids-limit -1 CONTAINER, or systemctl set-property UNIT "
         "TasksMax=infinity";
}

void check_threads(const Examination& e, Findings& f) {
  const double threads = number_at(*e.environment, {"threads", "possible"});
  if (!(threads >= 0)) return;
  const std::string by = text_at(*e.environment, {"threads", "limited_by"});
  const std::string what = fmt::format("about {:.0f} threads are possible ({})", threads, by);
  // 5 ms is the wait that the suites give to sleep and rpc.
  const std::string why = fmt::format(
      "thread_per_request has a thread for each request under way and sheds the others: with waits "
      "of 5 ms that is from about {:.0f} requests/s on, at saturation much earlier (by Little's "
      "law)",
      threads / 5e-3);
  if (threads < 1000)
    f.bad(40, what, why, thread_cure(by));
  else if (threads < 10'000)
    f.doubtful(16, what, why, thread_cure(by));
  else
    f.fine(what);
}

void check_descriptors(const Examination& e, Findings& f) {
  // rpc raises the soft limit to the hard one by itself; client and backend are in one process, so
  // a connection takes two, and twice as many are opened as wait on average.
  const double files = limit_of(*e.environment, "nofile", "hard");
  const double connections = std::max(0.0, (files - 64) / 2);
  if (connections < 4'000) {
    f.doubtful(14,
               fmt::format("at most {:.0f} open files, so {:.0f} connections", files, connections),
               fmt::format("rpc cannot be offered more than about {:.0f} requests/s with a wait of "
                           "5 ms, whatever the model (by Little's law)",
                           connections / 5e-3),
               "nofile in /etc/security/limits.conf and a new login; docker run --ulimit "
               "nofile=1048576; LimitNOFILE= of a service");
  } else if (files >= 0) {
    f.fine(std::isinf(files) ? "open files are not limited"
                             : fmt::format("{:.0f} open files are allowed", files));
  }
  const auto ports = words_of(text_at(*e.environment, {"network", "port_range"}));
  const auto low = ports.size() == 2 ? number_of(ports[0]) : std::nullopt;
  const auto high = ports.size() == 2 ? number_of(ports[1]) : std::nullopt;
  if (low && high) {
    const double count = std::max(0.0, *high - *low + 1);
    const std::string what = fmt::format("{:.0f} local ports for connections", count);
    if (count < 10'000) {
      f.doubtful(
          13, what,
          fmt::format("rpc cannot have more connections than that to one backend: with a wait "
                      "of 5 ms about {:.0f} requests/s (by Little's law)",
                      count / 5e-3),
          "sysctl -w net.ipv4.ip_local_port_range='10000 65000'");
    } else {
      f.fine(what);
    }
  }
}

void check_rings(const Examination& e, Findings& f) {
  // Each of io_uring's rings, one a CPU, registers 2 MiB of buffers for reads.
  const double needed = 2 * kMiB * static_cast<double>(e.model.size());
  const double locked = limit_of(*e.environment, "memlock", "soft");
  if (!e.root && locked < needed) {
    f.doubtful(11, fmt::format("{:.0f} KiB may be locked in memory", locked / 1024),
               fmt::format("io_uring wants {:.0f} KiB for registered buffers on {} CPUs and reads "
                           "without them: the file workload then pays for pinning pages at every "
                           "read",
                           needed / 1024, e.model.size()),
               fmt::format("ulimit -l {:.0f} (above the hard limit: memlock in "
                           "/etc/security/limits.conf)",
                           needed / 1024));
  }
  for (const auto& [model, why] : e.unavailable) {
    const double disabled = number_at(*e.environment, {"kernel", "io_uring_disabled"});
    const bool ring = model == "io_uring";
    f.bad(35, fmt::format("{} cannot run here: {}", model, why),
          "its series are missing from every suite",
          !ring          ? "see the reason"
          : disabled > 0 ? "sysctl -w kernel.io_uring_disabled=0"
                         : "in a container: docker run --security-opt seccomp=unconfined, or a "
                           "profile that allows io_uring_setup, _enter and _register");
  }
  if (e.unavailable.empty()) f.fine("every model can run here, io_uring included");
  if (text_at(*e.environment, {"kernel", "seccomp"}) == "2") {
    f.doubtful(
        2, "a seccomp filter looks at every system call",
        "each costs some tens of nanoseconds more (known), so that models which make more of "
        "them lose more",
        "docker run --security-opt seccomp=unconfined, where that may be");
  }
}

void check_memory_limit(const Examination& e, Findings& f) {
  const double limit = number_at(*e.environment, {"cgroup", "memory_limit_bytes"});
  const double total = number_at(*e.environment, {"memory", "MemTotal_bytes"});
  if (limit < total && limit < 2048 * kMiB) {
    f.doubtful(9, fmt::format("the cgroup limits memory to {:.0f} MiB", limit / kMiB),
               "backlogs of overload trials are kept in memory: the process may be killed there",
               "docker update --memory 4g CONTAINER, or lower in_flight_limit of the models");
  }
}

void check_scratch(const Examination& e, Findings& f) {
  const Storage& scratch = e.scratch;
  const bool memory = scratch.filesystem == "tmpfs" || scratch.filesystem == "ramfs";
  constexpr const char* kCure =
      "PRECIPICE_SCRATCH=DIR precipice ..., with DIR on a disk (ext4, xfs)";
  if (memory) {
    f.doubtful(50,
               fmt::format("files for the file workload lie in memory ({})", scratch.filesystem),
               "file measures copies from memory and no device: io_uring's advantage is not seen, "
               "and figures are far above any disk's",
               kCure);
  } else if (scratch.direct == false) {
    f.doubtful(45,
               fmt::format("the scratch directory's filesystem{} refuses O_DIRECT",
                           scratch.filesystem.empty() ? "" : " (" + scratch.filesystem + ")"),
               "after the first reads of a block file measures the page cache and no device",
               kCure);
  } else if (scratch.direct == true) {
    f.fine("the scratch directory takes O_DIRECT");
  }
  if (!e.results.free_bytes) return;
  const auto free_bytes = static_cast<double>(*e.results.free_bytes);
  const std::string what = fmt::format("{:.0f} MiB are free for results", free_bytes / kMiB);
  // A run of the reference suite takes about 20 MiB, and the file workload's file 256 MiB.
  if (free_bytes < 100 * kMiB)
    f.bad(30, what,
          "a run of many cells does not fit: it stops with exit code 5, and continues "
          "when there is space",
          "free some, or precipice run SUITE --out DIR on another disk");
  else if (free_bytes < 1024 * kMiB)
    f.doubtful(2, what,
               "a few long runs fill it: a run then stops with exit code 5, and continues "
               "when there is space",
               "free some, or precipice run SUITE --out DIR on another disk");
  else
    f.fine(what);
}

void check_build(const Examination& e, Findings& f) {
  const Json& environment = *e.environment;
  constexpr const char* kCure =
      "cmake --preset release && cmake --build build/release, and run build/release/precipice";
  if (const std::string sanitizers = text_at(environment, {"build", "sanitizers"});
      !sanitizers.empty()) {
    f.bad(99, fmt::format("this program was built with sanitizers ({})", sanitizers),
          "everything is 2 to 20 times slower, and not by the same factor everywhere (known)",
          kCure);
  } else if (at(environment, {"build", "optimised"}) == Json(false)) {
    f.bad(98,
          fmt::format("this program was built without optimisation ({})",
                      text_at(environment, {"build", "type"})),
          "models, workloads and generator are several times slower, and not by the same factor "
          "everywhere (known)",
          kCure);
  } else if (at(environment, {"build", "assertions"}) == Json(true)) {
    f.doubtful(5, "this program was built with assertions",
               "checks inside containers and models cost some per cent", kCure);
  }
  const std::string sha = text_at(environment, {"build", "git_sha"});
  if (sha == "nogit") {
    f.doubtful(0.5, "this program was built outside a repository",
               "a result cannot be traced to its sources", "build it in a clone");
  } else if (at(environment, {"build", "git_dirty"}) == Json(true)) {
    f.doubtful(0.5, fmt::format("this program was built from {} with changes", sha),
               "a result cannot be traced to its sources", "git commit, and build again");
  }
}

}  // namespace

void check_limits(const Examination& examination, Findings& findings) {
  check_threads(examination, findings);
  check_descriptors(examination, findings);
  check_rings(examination, findings);
  check_memory_limit(examination, findings);
}

void check_storage_and_build(const Examination& examination, Findings& findings) {
  check_scratch(examination, findings);
  check_build(examination, findings);
}

}  // namespace precipice
