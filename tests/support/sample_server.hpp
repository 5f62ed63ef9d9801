// A server without a virtual machine or a container, as sample files.
#pragma once

#include <map>
#include <string>

namespace precipice::testing {

inline constexpr const char* kSys = "/sys/devices/system/";

/// Two sockets of a server: governor powersave, turbo, SMT, two NUMA nodes, hpet.
inline std::map<std::string, std::string> intel_server() {
  const std::string cpu = std::string(kSys) + "cpu/", node = std::string(kSys) + "node/";
  return {
      {"/proc/cpuinfo",
       "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\n"
       "model name\t: Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz\nstepping\t: 7\n"
       "microcode\t: 0x5003604\ncpu MHz\t\t: 1000.123\nflags\t\t: fpu vme constant_tsc\n\n"
       "processor\t: 1\nmodel name\t: another\n"},
      {"/proc/self/status",
       "Name:\tprecipice\nUid:\t1000\t1000\t1000\t1000\nSeccomp:\t0\n"
       "Cpus_allowed_list:\t0-3\n"},
      {"/proc/self/cgroup", "0::/user.slice/user-1000.slice/session-2.scope\n"},
      {"/sys/fs/cgroup/user.slice/cpu.max", "max 100000\n"},
      {"/sys/fs/cgroup/user.slice/user-1000.slice/pids.max", "12288\n"},
      {"/proc/self/limits",
       "Limit                     Soft Limit           Hard Limit           Units     \n"
       "Max stack size            8388608              unlimited            bytes     \n"
       "Max processes             254877               254877               processes \n"
       "Max open files            1024                 4096                 files     \n"
       "Max locked memory         65536                65536                bytes     \n"},
      {"/proc/sys/kernel/pid_max", "32768\n"},
      {"/proc/sys/kernel/threads-max", "509754\n"},
      {"/proc/sys/vm/max_map_count", "65530\n"},
      {"/proc/sys/kernel/osrelease", "6.1.0-18-amd64\n"},
      {"/boot/config-6.1.0-18-amd64", "CONFIG_HZ=250\n# CONFIG_NO_HZ_FULL is not set\n"},
      {"/proc/cmdline",
       "BOOT_IMAGE=/vmlinuz root=UUID=1-2 ro quiet ip=10.1.2.3 isolcpus=2,3 mitigations=auto\n"},
      {cpu + "online", "0-3\n"},
      {cpu + "isolated", "\n"},
      {cpu + "nohz_full", "(null)\n"},
      {cpu + "cpu0/cpufreq/scaling_governor", "powersave\n"},
      {cpu + "cpu1/cpufreq/scaling_governor", "powersave\n"},
      {cpu + "cpu2/cpufreq/scaling_governor", "powersave\n"},
      {cpu + "cpu3/cpufreq/scaling_governor", "performance\n"},
      {cpu + "cpu0/cpufreq/scaling_driver", "intel_pstate\n"},
      {cpu + "cpu0/cpufreq/scaling_min_freq", "1000000\n"},
      {cpu + "cpu0/cpufreq/scaling_max_freq", "3900000\n"},
      {cpu + "intel_pstate/no_turbo", "0\n"},
      {cpu + "smt/control", "on\n"},
      {cpu + "smt/active", "1\n"},
      {cpu + "cpu0/topology/thread_siblings_list", "0,2\n"},
      {cpu + "cpu1/topology/thread_siblings_list", "1,3\n"},
      {cpu + "cpu2/topology/thread_siblings_list", "0,2\n"},
      {cpu + "cpu3/topology/thread_siblings_list", "1,3\n"},
      {cpu + "cpu0/cpuidle/state0/latency", "0\n"},
      {cpu + "cpu0/cpuidle/state0/name", "POLL\n"},
      {cpu + "cpu0/cpuidle/state1/latency", "133\n"},
      {cpu + "cpu0/cpuidle/state1/name", "C6\n"},
      {cpu + "cpu0/cpuidle/state1/disable", "0\n"},
      {cpu + "vulnerabilities/meltdown", "Mitigation: PTI\n"},
      {cpu + "vulnerabilities/l1tf", "Not affected\n"},
      {cpu + "vulnerabilities/mds", "Vulnerable\n"},
      {node + "node0/cpulist", "0,2\n"},
      {node + "node0/distance", "10 21\n"},
      {node + "node1/cpulist", "1,3\n"},
      {node + "node1/distance", "21 10\n"},
      {node + "online", "0-1\n"},
      {std::string(kSys) + "clocksource/clocksource0/current_clocksource", "hpet\n"},
      {std::string(kSys) + "clocksource/clocksource0/available_clocksource", "tsc hpet acpi_pm \n"},
      {"/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n"},
      {"/proc/meminfo",
       "MemTotal:       196692000 kB\nSwapTotal:       2097152 kB\nSwapFree:        1048576 kB\n"},
      {"/proc/pressure/cpu",
       "some avg10=32.50 avg60=7.23 avg300=5.46 total=3655115667\n"
       "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"},
      {"/proc/loadavg", "3.10 2.05 1.00 5/812 41234\n"},
      {"/proc/stat", "cpu  10 20 30 40 50 60 70 88 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\nintr 12\n"},
      {"/proc/uptime", "1000.50 3000.00\n"},
      {"/proc/self/timerslack_ns", "50000\n"},
      {"/proc/sys/net/ipv4/ip_local_port_range", "32768\t34767\n"},
  };
}

}  // namespace precipice::testing
