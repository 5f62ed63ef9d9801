#include "harness/host/machine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "harness/host/scheduling.hpp"
#include "harness/json.hpp"

namespace precipice {
namespace {

const std::string kCpus = "/sys/devices/system/cpu/";

std::string text_or_empty(const MachineFiles& files, const std::string& path) {
  return files.read(path).value_or("");
}

Json field(const std::map<std::string, std::string>& fields,
           std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto found = fields.find(name);
    if (found != fields.end() && !found->second.empty()) return found->second;
  }
  return nullptr;
}

/// The value that all given CPUs share, or how many have which; null where none shows it.
Json shared_setting(const MachineFiles& files, const std::vector<int>& cpus,
                    const std::string& file) {
  std::map<std::string, int> counts;
  for (const int cpu : cpus) {
    if (const auto line = files.line(fmt::format("{}cpu{}/{}", kCpus, cpu, file)))
      ++counts[trimmed(*line)];
  }
  if (counts.empty()) return nullptr;
  if (counts.size() == 1) return counts.begin()->first;
  std::vector<std::string> parts;
  for (const auto& [value, count] : counts) parts.push_back(fmt::format("{} x{}", value, count));
  return fmt::format("mixed: {}", fmt::join(parts, ", "));
}

std::vector<int> online_cpus(const MachineFiles& files) {
  return cpu_numbers(files.line(kCpus + "online").value_or("0"));
}

/// Of cpu0: the deepest idle state that is not disabled, with its exit latency.
Json idle_json(const MachineFiles& files) {
  Json deepest = nullptr;
  double most = -1;
  for (const std::string& name : files.list(kCpus + "cpu0/cpuidle")) {
    const std::string state = fmt::format("{}cpu0/cpuidle/{}/", kCpus, name);
    const auto latency = number_of(trimmed(files.line(state + "latency").value_or("")));
    if (!latency || *latency <= most || files.line(state + "disable").value_or("0") != "0")
      continue;
    most = *latency;
    deepest = {{"name", files.line_json(state + "name")}, {"exit_latency_us", *latency}};
  }
  return deepest;
}

Json numa_json(const MachineFiles& files) {
  Json nodes = Json::object();
  const std::string base = "/sys/devices/system/node/";
  for (const std::string& name : files.list(base)) {
    const auto cpus =
        name.starts_with("node") ? files.line(base + name + "/cpulist") : std::nullopt;
    if (!cpus) continue;
    Json distances = Json::array();
    for (const std::string& word : words_of(text_or_empty(files, base + name + "/distance")))
      distances.push_back(number_of(word) ? Json(*number_of(word)) : Json(nullptr));
    nodes[name] = {{"cpus", trimmed(*cpus)}, {"distances", distances}};
  }
  return nodes;
}

Json cpu_json(const MachineFiles& files) {
  const auto info = colon_fields(text_or_empty(files, "/proc/cpuinfo"));
  const auto status = colon_fields(text_or_empty(files, "/proc/self/status"));
  Json model = field(info, {"model name", "Model", "Hardware", "cpu model", "uarch"});
  if (model.is_null() && info.contains("CPU part")) {
    // ARM names its parts by number; the pair identifies the core.
    model = fmt::format("implementer {} part {} revision {}",
                        json_text(field(info, {"CPU implementer"})), info.at("CPU part"),
                        json_text(field(info, {"CPU revision"})));
    std::string text = model;
    std::erase(text, '"');
    model = text;
  }
  const std::vector<int> cpus = online_cpus(files);
  const auto boost = files.line(kCpus + "cpufreq/boost");
  const auto no_turbo = files.line(kCpus + "intel_pstate/no_turbo");
  Json boost_on = nullptr;
  if (boost) boost_on = trimmed(*boost) == "1";
  if (no_turbo) boost_on = trimmed(*no_turbo) == "0";
  const Json isolated = files.line_json(kCpus + "isolated");
  const Json nohz_full = files.line_json(kCpus + "nohz_full");
  // "(null)" is how some kernels print an empty set.
  const auto set_or_null = [](const Json& set) {
    return set.is_string() && (set == "" || set == "(null)") ? Json(nullptr) : set;
  };
  Json json = {
      {"model", model},
      {"vendor", field(info, {"vendor_id", "CPU implementer"})},
      {"family", field(info, {"cpu family", "CPU architecture"})},
      {"stepping", field(info, {"stepping", "CPU variant"})},
      {"microcode", field(info, {"microcode"})},
      {"mhz_now", field(info, {"cpu MHz"})},
      {"online", files.line_json(kCpus + "online")},
      {"allowed", field(status, {"Cpus_allowed_list"})},
      {"isolated", set_or_null(isolated)},
      {"nohz_full", set_or_null(nohz_full)},
      {"governor", shared_setting(files, cpus, "cpufreq/scaling_governor")},
      {"energy_preference", shared_setting(files, cpus, "cpufreq/energy_performance_preference")},
      {"driver", files.line_json(kCpus + "cpu0/cpufreq/scaling_driver")},
      {"min_khz", files.number_json(kCpus + "cpu0/cpufreq/scaling_min_freq")},
      {"max_khz", files.number_json(kCpus + "cpu0/cpufreq/scaling_max_freq")},
      {"boost", boost_on},
      {"smt", files.line_json(kCpus + "smt/control")},
      {"smt_active", files.line(kCpus + "smt/active")
                         ? Json(trimmed(*files.line(kCpus + "smt/active")) == "1")
                         : Json(nullptr)},
      {"idle_driver", files.line_json(kCpus + "cpuidle/current_driver")},
      {"idle_deepest", idle_json(files)}};
  json["cores"] = cpu_cores(files);
  Json& mitigations = json["mitigations"] = Json::object();
  for (const std::string& name : files.list(kCpus + "vulnerabilities"))
    mitigations[name] = files.line_json(kCpus + "vulnerabilities/" + name);
  json["numa"] = numa_json(files);
  return json;
}

Json kernel_json(const MachineFiles& files) {
  const std::string clock = "/sys/devices/system/clocksource/clocksource0/";
  const std::string proc = "/proc/sys/";
  const auto status = colon_fields(text_or_empty(files, "/proc/self/status"));
  const std::string release = files.line("/proc/sys/kernel/osrelease").value_or("");
  Json config = Json::object();
  for (const std::string& line :
       lines_of(text_or_empty(files, "/boot/config-" + trimmed(release)))) {
    for (const char* key : {"CONFIG_HZ=", "CONFIG_NO_HZ_FULL=", "CONFIG_PREEMPT=",
                            "CONFIG_PREEMPT_RT=", "CONFIG_PREEMPT_DYNAMIC="}) {
      if (line.starts_with(key)) {
        const std::string name(key);
        config[name.substr(0, name.size() - 1)] = line.substr(name.size());
      }
    }
  }
  return {{"release", files.line_json(proc + "kernel/osrelease")},
          {"version", files.line_json(proc + "kernel/version")},
          {"machine", files.line_json(proc + "kernel/arch")},
          {"command_line", files.line_json("/proc/cmdline")},
          {"relevant_options", relevant_kernel_options(files.line("/proc/cmdline").value_or(""))},
          {"config", config},
          {"clock_source", files.line_json(clock + "current_clocksource")},
          {"clock_sources", files.line_json(clock + "available_clocksource")},
          {"timer_slack_ns", files.number_json("/proc/self/timerslack_ns")},
          {"io_uring_disabled", files.number_json(proc + "kernel/io_uring_disabled")},
          {"seccomp", field(status, {"Seccomp"})},
          {"address_randomisation", files.number_json(proc + "kernel/randomize_va_space")},
          {"numa_balancing", files.number_json(proc + "kernel/numa_balancing")},
          {"autogroup", files.number_json(proc + "kernel/sched_autogroup_enabled")},
          {"nmi_watchdog", files.number_json(proc + "kernel/nmi_watchdog")},
          {"timer_migration", files.number_json(proc + "kernel/timer_migration")},
          {"sched_rt_runtime_us", files.line_json(proc + "kernel/sched_rt_runtime_us")},
          {"ksm", files.number_json("/sys/kernel/mm/ksm/run")}};
}

/// Directories in which a file of a controller may lie for this process, nearest first. Inside a
/// container the path may be the host's: then only the root of the mount is there.
std::vector<std::string> cgroup_places(const MachineFiles& files, const std::string& controller) {
  std::vector<std::string> places;
  for (const CgroupLine& group : cgroup_lines(text_or_empty(files, "/proc/self/cgroup"))) {
    std::vector<std::string> roots;
    if (group.controllers.empty() && controller.empty()) {
      roots = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
    } else if (!controller.empty() &&
               std::count(group.controllers.begin(), group.controllers.end(), controller) > 0) {
      roots = {"/sys/fs/cgroup/" + controller,
               fmt::format("/sys/fs/cgroup/{}", fmt::join(group.controllers, ","))};
    }
    // Outside the root of its cgroup namespace: none of what is visible is above it.
    if (group.path.starts_with("/..")) continue;
    for (const std::string& root : roots) {
      for (const std::string& path : with_ancestors(group.path)) places.push_back(root + path);
    }
  }
  return places;
}

/// The nearest line of this name, or null.
Json nearest(const MachineFiles& files, const std::vector<std::string>& places,
             const std::string& file) {
  for (const std::string& place : places) {
    if (const auto line = files.line(place + "/" + file)) return trimmed(*line);
  }
  return nullptr;
}

/// The least of a limit over a group and its ancestors; null where there is none.
Json least(const MachineFiles& files, const std::vector<std::string>& places,
           const std::string& file) {
  // v1 writes "no limit" as the highest page-aligned number.
  constexpr double kUnlimited = 9e18;
  std::optional<double> lowest;
  for (const std::string& place : places) {
    const auto value = number_of(trimmed(files.line(place + "/" + file).value_or("")));
    if (value && *value < kUnlimited) lowest = std::min(lowest.value_or(*value), *value);
  }
  return lowest ? Json(static_cast<std::uint64_t>(std::max(0.0, *lowest))) : Json(nullptr);
}

Json throttling(const MachineFiles& files, const std::vector<std::string>& places) {
  Json worst = nullptr;
  for (const std::string& place : places) {
    std::map<std::string, double> counters;
    for (const std::string& line : lines_of(text_or_empty(files, place + "/cpu.stat"))) {
      const auto words = words_of(line);
      if (words.size() == 2) counters[words[0]] = number_of(words[1]).value_or(0);
    }
    if (!counters.contains("nr_throttled")) continue;
    const double us = counters.contains("throttled_usec") ? counters["throttled_usec"]
                                                          : counters["throttled_time"] / 1000;
    if (worst.is_null() || counters["nr_throttled"] > worst["throttled_periods"].get<double>())
      worst = {{"periods", counters["nr_periods"]},
               {"throttled_periods", counters["nr_throttled"]},
               {"throttled_us", us}};
  }
  return worst;
}

Json first_set(std::initializer_list<Json> values) {
  for (const Json& value : values) {
    if (!value.is_null()) return value;
  }
  return nullptr;
}

Json cgroup_json(const MachineFiles& files) {
  const auto v2 = cgroup_places(files, ""), cpu = cgroup_places(files, "cpu"),
             memory = cgroup_places(files, "memory"), pids = cgroup_places(files, "pids"),
             cpuset = cgroup_places(files, "cpuset");
  const bool has_v1 = !cpu.empty() || !memory.empty() || !pids.empty() || !cpuset.empty();
  const auto limit = cgroup_cpu_limit(files);
  return {{"version", has_v1       ? Json("v1")
                      : v2.empty() ? Json(nullptr)
                                   : Json("v2")},
          {"cpu_limit", limit ? Json(*limit) : Json(nullptr)},
          {"cpu_max", nearest(files, v2, "cpu.max")},
          {"cpu_weight", nearest(files, v2, "cpu.weight")},
          {"cpu_shares", nearest(files, cpu, "cpu.shares")},
          {"cpuset", first_set({nearest(files, v2, "cpuset.cpus.effective"),
                                nearest(files, cpuset, "cpuset.effective_cpus"),
                                nearest(files, cpuset, "cpuset.cpus")})},
          {"memory_limit_bytes", first_set({least(files, v2, "memory.max"),
                                            least(files, memory, "memory.limit_in_bytes")})},
          {"memory_high_bytes", least(files, v2, "memory.high")},
          {"pids_limit", first_set({least(files, v2, "pids.max"), least(files, pids, "pids.max")})},
          {"pids_now",
           first_set({nearest(files, v2, "pids.current"), nearest(files, pids, "pids.current")})},
          {"throttling", first_set({throttling(files, v2), throttling(files, cpu)})}};
}

/// What suggests a hypervisor or a container; empty strings are not hints.
Json virtualisation_json(const MachineFiles& files) {
  const auto info = colon_fields(text_or_empty(files, "/proc/cpuinfo"));
  const auto flags = words_of(info.contains("flags") ? info.at("flags") : "");
  Json hints = Json::array();
  for (const char* path : {"/.dockerenv", "/run/.containerenv", "/run/systemd/container"}) {
    if (files.read(path)) hints.push_back(path);
  }
  return {{"hypervisor_flag", std::count(flags.begin(), flags.end(), "hypervisor") > 0},
          {"hypervisor", first_set({files.line_json("/sys/hypervisor/type"),
                                    files.line_json("/proc/device-tree/hypervisor/compatible")})},
          {"product", files.line_json("/sys/class/dmi/id/product_name")},
          {"vendor", files.line_json("/sys/class/dmi/id/sys_vendor")},
          {"container_hints", hints}};
}

Json memory_json(const MachineFiles& files) {
  Json json = Json::object();
  const auto info = colon_fields(text_or_empty(files, "/proc/meminfo"));
  for (const char* key : {"MemTotal", "MemAvailable", "SwapTotal", "SwapFree", "HugePages_Total"}) {
    const auto found = info.find(key);
    const auto words = words_of(found == info.end() ? "" : found->second);
    const auto value = words.empty() ? std::nullopt : number_of(words[0]);
    const bool kib = words.size() > 1 && words[1] == "kB";
    json[fmt::format("{}{}", key, key[0] == 'H' ? "" : "_bytes")] =
        value ? Json(static_cast<std::uint64_t>(*value * (kib ? 1024 : 1))) : Json(nullptr);
  }
  const auto choice = [&](const char* path) {
    const auto chosen = chosen_of(text_or_empty(files, path));
    return chosen ? Json(*chosen) : Json(nullptr);
  };
  json["transparent_hugepages"] = choice("/sys/kernel/mm/transparent_hugepage/enabled");
  json["transparent_hugepages_defrag"] = choice("/sys/kernel/mm/transparent_hugepage/defrag");
  json["swappiness"] = files.number_json("/proc/sys/vm/swappiness");
  json["overcommit"] = files.number_json("/proc/sys/vm/overcommit_memory");
  json["zone_reclaim_mode"] = files.number_json("/proc/sys/vm/zone_reclaim_mode");
  return json;
}

/// How many threads this process can have, and which limit is the lowest.
Json threads_json(const MachineFiles& files, const Json& limits, const Json& cgroup) {
  Json json = {{"pid_max", files.number_json("/proc/sys/kernel/pid_max")},
               {"threads_max", files.number_json("/proc/sys/kernel/threads-max")},
               {"max_map_count", files.number_json("/proc/sys/vm/max_map_count")},
               {"nproc", limits["nproc"].is_object() ? limits["nproc"]["soft"] : Json(nullptr)},
               {"pids_limit", cgroup["pids_limit"]}};
  // RLIMIT_NPROC does not bind root (setrlimit(2)).
  const auto status = colon_fields(text_or_empty(files, "/proc/self/status"));
  const auto uids = words_of(status.contains("Uid") ? status.at("Uid") : "");
  const bool root = uids.size() > 1 && uids[1] == "0";
  Json least_value = nullptr, by = nullptr;
  // Two maps a thread: its stack and the guard page below.
  for (const auto& [key, divisor] :
       std::initializer_list<std::pair<const char*, double>>{{"pid_max", 1},
                                                             {"threads_max", 1},
                                                             {"max_map_count", 2},
                                                             {"nproc", 1},
                                                             {"pids_limit", 1}}) {
    if (!json[key].is_number() || (root && std::string_view(key) == "nproc")) continue;
    const double value = json[key].get<double>() / divisor;
    if (!least_value.is_null() && least_value.get<double>() <= value) continue;
    least_value = value;
    by = key;
  }
  json["possible"] = least_value;
  json["limited_by"] = by;
  return json;
}

}  // namespace

std::set<std::string> cpu_cores(const MachineFiles& files) {
  std::set<std::string> cores;
  for (const int cpu : online_cpus(files)) {
    const std::string topology = fmt::format("{}cpu{}/topology/", kCpus, cpu);
    for (const char* name : {"thread_siblings_list", "core_cpus_list"}) {
      const auto line = files.line(topology + name);
      if (!line) continue;
      cores.insert(trimmed(*line));
      break;
    }
  }
  return cores;
}

std::optional<double> cgroup_cpu_limit(const MachineFiles& files) {
  std::optional<double> lowest;
  const auto take = [&](std::optional<double> quota, std::optional<double> period) {
    if (quota && period && *quota > 0 && *period > 0)
      lowest = std::min(lowest.value_or(*quota / *period), *quota / *period);
  };
  for (const std::string& place : cgroup_places(files, "")) {
    const auto words = words_of(files.line(place + "/cpu.max").value_or(""));
    if (words.size() == 2) take(number_of(words[0]), number_of(words[1]));
  }
  for (const std::string& place : cgroup_places(files, "cpu")) {
    take(number_of(trimmed(files.line(place + "/cpu.cfs_quota_us").value_or(""))),
         number_of(trimmed(files.line(place + "/cpu.cfs_period_us").value_or(""))));
  }
  return lowest;
}

Json machine_json(const MachineFiles& files) {
  Json json = {{"cpu", cpu_json(files)},
               {"kernel", kernel_json(files)},
               {"scheduling", to_json(scheduling_of(files))},
               {"virtualisation", virtualisation_json(files)},
               {"memory", memory_json(files)},
               {"cgroup", cgroup_json(files)}};
  json["limits"] = limits_of(text_or_empty(files, "/proc/self/limits"));
  json["limits"]["file_max"] = files.number_json("/proc/sys/fs/file-max");
  json["limits"]["nr_open"] = files.number_json("/proc/sys/fs/nr_open");
  json["threads"] = threads_json(files, json["limits"], json["cgroup"]);
  json["steal_ticks"] = steal_of(text_or_empty(files, "/proc/stat"));
  Json& pressure = json["pressure"] = Json::object();
  for (const char* what : {"cpu", "memory", "io"})
    pressure[what] = pressure_of(text_or_empty(files, std::string("/proc/pressure/") + what));
  json["load"] = load_of(text_or_empty(files, "/proc/loadavg"));
  json["network"] = {
      {"port_range", files.line_json("/proc/sys/net/ipv4/ip_local_port_range")},
      {"somaxconn", files.number_json("/proc/sys/net/core/somaxconn")},
      {"tcp_max_syn_backlog", files.number_json("/proc/sys/net/ipv4/tcp_max_syn_backlog")},
      {"tcp_tw_reuse", files.number_json("/proc/sys/net/ipv4/tcp_tw_reuse")},
      {"busy_poll_us", files.number_json("/proc/sys/net/core/busy_poll")}};
  json["uptime_s"] = nullptr;
  if (const auto words = words_of(text_or_empty(files, "/proc/uptime")); !words.empty())
    json["uptime_s"] = number_of(words[0]) ? Json(*number_of(words[0])) : Json(nullptr);
  return json;
}

}  // namespace precipice
