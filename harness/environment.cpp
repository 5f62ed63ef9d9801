#include "harness/environment.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <boost/version.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "build_info.hpp"
#include "harness/durable.hpp"
#include "models/cpu_set.hpp"

// oneTBB's version header alone, without its runtime.
#include <oneapi/tbb/version.h>

namespace precipice {
namespace {

namespace fs = std::filesystem;

Json line_json(const std::string& path) {
  const auto line = first_line(path);
  return line ? Json(*line) : Json(nullptr);
}

std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(std::move(line));
  return lines;
}

/// The value of `key : value` in /proc/cpuinfo's first processor.
Json cpuinfo(const std::string& key) {
  for (const std::string& line : lines_of("/proc/cpuinfo")) {
    const std::size_t colon = line.find(':');
    if (colon != std::string::npos &&
        line.substr(0, line.find_last_not_of(" \t", colon - 1) + 1) == key)
      return line.size() > colon + 2 ? Json(line.substr(colon + 2)) : Json("");
  }
  return nullptr;
}

Json cpu_json() {
  const std::string cpu0 = "/sys/devices/system/cpu/cpu0/";
  Json json = {{"model", cpuinfo("model name")},
               {"vendor", cpuinfo("vendor_id")},
               {"microcode", cpuinfo("microcode")},
               {"mhz_now", cpuinfo("cpu MHz")},
               {"online", line_json("/sys/devices/system/cpu/online")},
               {"allowed", CpuSet::allowed().to_string()},
               {"isolated", line_json("/sys/devices/system/cpu/isolated")},
               {"nohz_full", line_json("/sys/devices/system/cpu/nohz_full")},
               {"governor", line_json(cpu0 + "cpufreq/scaling_governor")},
               {"driver", line_json(cpu0 + "cpufreq/scaling_driver")},
               {"max_khz", line_json(cpu0 + "cpufreq/scaling_max_freq")},
               {"boost", line_json("/sys/devices/system/cpu/cpufreq/boost")},
               {"intel_no_turbo", line_json("/sys/devices/system/cpu/intel_pstate/no_turbo")},
               {"smt", line_json("/sys/devices/system/cpu/smt/control")},
               {"idle_driver", line_json("/sys/devices/system/cpu/cpuidle/current_driver")}};
  Json& mitigations = json["mitigations"] = Json::object();
  std::error_code error;
  std::map<std::string, std::string> sorted;
  for (fs::directory_iterator entry("/sys/devices/system/cpu/vulnerabilities", error), end;
       !error && entry != end; entry.increment(error)) {
    if (const auto line = first_line(entry->path()); line && *line != "Not affected")
      sorted[entry->path().filename()] = *line;
  }
  for (const auto& [name, state] : sorted) mitigations[name] = state;
  Json& nodes = json["numa"] = Json::object();
  sorted.clear();
  for (fs::directory_iterator entry("/sys/devices/system/node", error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename();
    if (name.starts_with("node") && first_line(entry->path() / "cpulist"))
      sorted[name] = *first_line(entry->path() / "cpulist");
  }
  for (const auto& [name, cpus] : sorted) nodes[name] = cpus;
  return json;
}

Json kernel_json() {
  utsname names{};
  uname(&names);
  return {{"release", names.release},
          {"version", names.version},
          {"machine", names.machine},
          {"command_line", line_json("/proc/cmdline")},
          {"clock_source",
           line_json("/sys/devices/system/clocksource/clocksource0/current_clocksource")},
          {"clock_sources",
           line_json("/sys/devices/system/clocksource/clocksource0/available_clocksource")},
          {"io_uring_disabled", line_json("/proc/sys/kernel/io_uring_disabled")},
          {"transparent_hugepages", line_json("/sys/kernel/mm/transparent_hugepage/enabled")},
          {"pid_max", line_json("/proc/sys/kernel/pid_max")},
          {"threads_max", line_json("/proc/sys/kernel/threads-max")},
          {"max_map_count", line_json("/proc/sys/vm/max_map_count")},
          {"somaxconn", line_json("/proc/sys/net/core/somaxconn")},
          {"port_range", line_json("/proc/sys/net/ipv4/ip_local_port_range")},
          {"sched_rt_runtime_us", line_json("/proc/sys/kernel/sched_rt_runtime_us")}};
}

/// Where this process's group of a controller is mounted: v2 ("" as controller) or v1.
std::string cgroup_directory(const std::string& controller) {
  for (const std::string& line : lines_of("/proc/self/cgroup")) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string names = fmt::format(",{},", line.substr(first + 1, second - first - 1));
    const std::string path = line.substr(second + 1);
    std::vector<std::string> roots;
    if (controller.empty() && names == ",,")
      roots = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
    else if (!controller.empty() &&
             names.find(fmt::format(",{},", controller)) != std::string::npos)
      roots = {fmt::format("/sys/fs/cgroup/{}", controller), "/sys/fs/cgroup/cpu,cpuacct"};
    for (const std::string& root : roots) {
      // Inside a container the path is the host's, and the group is at the root of the mount.
      for (const std::string& candidate : {root + (path == "/" ? "" : path), root}) {
        std::error_code error;
        if (fs::exists(candidate + "/cgroup.procs", error)) return candidate;
      }
    }
  }
  return "";
}

Json cgroup_json() {
  Json json = Json::object();
  const auto add = [&](const std::string& directory, std::initializer_list<const char*> files) {
    if (directory.empty()) return;
    for (const char* file : files) {
      if (const auto line = first_line(directory + "/" + file)) json[file] = *line;
    }
  };
  add(cgroup_directory(""),
      {"cpu.max", "cpu.weight", "cpuset.cpus.effective", "memory.max", "memory.high", "pids.max"});
  add(cgroup_directory("cpu"), {"cpu.cfs_quota_us", "cpu.cfs_period_us", "cpu.shares"});
  add(cgroup_directory("cpuset"), {"cpuset.cpus"});
  add(cgroup_directory("memory"), {"memory.limit_in_bytes"});
  add(cgroup_directory("pids"), {"pids.max"});
  const auto limit = cgroup_cpu_limit();
  json["cpu_limit"] = limit ? Json(*limit) : Json(nullptr);
  return json;
}

Json limit_json(__rlimit_resource resource) {
  rlimit limit{};
  if (getrlimit(resource, &limit) != 0) return nullptr;
  const auto value = [](rlim_t v) { return v == RLIM_INFINITY ? Json("unlimited") : Json(v); };
  return {{"soft", value(limit.rlim_cur)}, {"hard", value(limit.rlim_max)}};
}

Json steal_json() {
  Json json = Json::object();
  for (const std::string& line : lines_of("/proc/stat")) {
    if (!line.starts_with("cpu")) break;
    std::istringstream fields(line);
    std::string name;
    std::uint64_t value = 0;
    fields >> name;
    for (int i = 0; i < 8; ++i) fields >> value;  // user nice system idle iowait irq softirq steal
    json[name] = value;
  }
  return json;
}

Json pressure_json() {
  Json json = Json::object();
  for (const char* what : {"cpu", "memory", "io"})
    json[what] = line_json(std::string("/proc/pressure/") + what);
  return json;
}

/// What suggests a hypervisor or a container; empty strings are not hints.
Json virtualisation_json() {
  Json json = Json::object();
  const Json flags = cpuinfo("flags");
  json["hypervisor_flag"] =
      flags.is_string() &&
      fmt::format(" {} ", flags.get<std::string>()).find(" hypervisor ") != std::string::npos;
  json["hypervisor"] = line_json("/sys/hypervisor/type");
  json["product"] = line_json("/sys/class/dmi/id/product_name");
  json["vendor"] = line_json("/sys/class/dmi/id/sys_vendor");
  Json& container = json["container_hints"] = Json::array();
  std::error_code error;
  for (const char* path : {"/.dockerenv", "/run/.containerenv", "/run/systemd/container"}) {
    if (fs::exists(path, error)) container.push_back(path);
  }
  if (const char* name = std::getenv("container"))
    container.push_back(std::string("container=") + name);
  if (std::getenv("KUBERNETES_SERVICE_HOST") != nullptr) container.push_back("kubernetes");
  return json;
}

Json memory_json() {
  Json json = Json::object();
  for (const std::string& line : lines_of("/proc/meminfo")) {
    for (const char* key : {"MemTotal", "MemAvailable", "SwapTotal", "SwapFree"}) {
      if (line.starts_with(std::string(key) + ":"))
        json[fmt::format("{}_bytes", key)] =
            std::strtoull(line.c_str() + line.find(':') + 1, nullptr, 10) * 1024;
    }
  }
  json["page_bytes"] = sysconf(_SC_PAGESIZE);
  return json;
}

Json build_json() {
  return {{"version", build::kVersion},
          {"git_sha", build::kGitSha},
          {"git_dirty", build::kGitDirty},
          {"compiler", build::kCompiler},
          {"type", build::kType},
          {"flags", build::kFlags},
          {"binary_hash", binary_hash()},
          {"libraries",
           {{"boost", BOOST_LIB_VERSION},
            {"tbb", fmt::format("{}.{}", TBB_VERSION_MAJOR, TBB_VERSION_MINOR)},
            {"fmt", fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100,
                                FMT_VERSION % 100)},
            {"json", fmt::format("{}.{}.{}", NLOHMANN_JSON_VERSION_MAJOR,
                                 NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH)},
            {"libc", [] {
               char text[64] = "";
               confstr(_CS_GNU_LIBC_VERSION, text, sizeof text);
               return std::string(text);
             }()}}}};
}

}  // namespace

std::optional<std::string> first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!file || !std::getline(file, line)) return std::nullopt;
  return line;
}

std::optional<double> cgroup_cpu_limit() {
  std::optional<double> least;
  const auto take = [&](double quota, double period) {
    if (quota > 0 && period > 0) least = std::min(least.value_or(quota / period), quota / period);
  };
  const std::string unified = cgroup_directory("");
  if (const auto line = unified.empty() ? std::nullopt : first_line(unified + "/cpu.max"))
    take(std::strtod(line->c_str(), nullptr),
         line->find(' ') == std::string::npos
             ? 0
             : std::strtod(line->c_str() + line->find(' '), nullptr));
  const std::string cpu = cgroup_directory("cpu");
  const auto quota = cpu.empty() ? std::nullopt : first_line(cpu + "/cpu.cfs_quota_us");
  const auto period = cpu.empty() ? std::nullopt : first_line(cpu + "/cpu.cfs_period_us");
  if (quota && period)
    take(std::strtod(quota->c_str(), nullptr), std::strtod(period->c_str(), nullptr));
  return least;
}

std::string build_git_sha() { return build::kGitSha; }
std::string source_directory() { return build::kSourceDirectory; }
std::string version_text() {
  return fmt::format("precipice {} ({}{}, {}, {})", build::kVersion, build::kGitSha,
                     build::kGitDirty ? " with changes" : "", build::kCompiler, build::kType);
}

std::string binary_hash() {
  static const std::string hash = [] {
    std::uint64_t value = 0xcbf29ce484222325ULL;
    for (const unsigned char c : read_file("/proc/self/exe"))
      value = (value ^ c) * 0x100000001b3ULL;
    return fmt::format("{:016x}", value);
  }();
  return hash;
}

Json environment_json() {
  return {{"schema", kSchema},
          {"cpu", cpu_json()},
          {"kernel", kernel_json()},
          {"virtualisation", virtualisation_json()},
          {"memory", memory_json()},
          {"cgroup", cgroup_json()},
          {"limits",
           {{"nofile", limit_json(RLIMIT_NOFILE)},
            {"nproc", limit_json(RLIMIT_NPROC)},
            {"memlock", limit_json(RLIMIT_MEMLOCK)},
            {"stack", limit_json(RLIMIT_STACK)},
            {"file_size", limit_json(RLIMIT_FSIZE)}}},
          {"steal_ticks", steal_json()},
          {"ticks_per_s", sysconf(_SC_CLK_TCK)},
          {"pressure", pressure_json()},
          {"load_average", line_json("/proc/loadavg")},
          {"build", build_json()}};
}

}  // namespace precipice
