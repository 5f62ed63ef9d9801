#include "harness/trial/process_family.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>

#include "harness/host/cpu_clock.hpp"

namespace precipice {
namespace {

namespace fs = std::filesystem;

/// The whole numbers in a text.
std::vector<std::uint64_t> numbers_in(const std::string& text) {
  std::vector<std::uint64_t> result;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    std::uint64_t value = 0;
    const auto [rest, error] = std::from_chars(at, end, value);
    if (error == std::errc()) result.push_back(value);
    at = error == std::errc() ? rest : at + 1;
  }
  return result;
}

std::string proc_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// What follows the name in /proc/PID/stat, from its field 3 on, separated by blanks.
std::vector<std::string> stat_fields(pid_t pid) {
  const std::string text = proc_text(fmt::format("/proc/{}/stat", pid));
  const std::size_t close = text.rfind(')');
  std::vector<std::string> fields;
  if (close == std::string::npos) return fields;
  for (std::size_t at = close + 2; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(" \n", at), text.size());
    fields.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return fields;
}

std::uint64_t number_of(const std::vector<std::string>& fields, std::size_t number) {
  std::uint64_t value = 0;
  if (number >= 3 && number - 3 < fields.size()) {
    const std::string& field = fields[number - 3];
    std::from_chars(field.data(), field.data() + field.size(), value);
  }
  return value;
}

template <class Use>
void for_each_number_in(const std::string& directory, Use use) {
  std::error_code failed;
  for (fs::directory_iterator entry(directory, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    const std::string name = entry->path().filename();
    if (name.find_first_not_of("0123456789") == std::string::npos)
      use(static_cast<pid_t>(std::stol(name)));
  }
}

/// By what the kernel lists, else by looking at every process (without CONFIG_PROC_CHILDREN).
std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> result;
  const std::string list = fmt::format("/proc/{0}/task/{0}/children", pid);
  if (::access(list.c_str(), R_OK) == 0) {
    for (const std::uint64_t child : numbers_in(proc_text(list)))
      result.push_back(static_cast<pid_t>(child));
    return result;
  }
  constexpr std::size_t kParent = 4;
  for_each_number_in("/proc", [&](pid_t other) {
    if (number_of(stat_fields(other), kParent) == static_cast<std::uint64_t>(pid))
      result.push_back(other);
  });
  return result;
}

/// The socket that listens there, as /proc/net/tcp has it (proc(5)).
std::optional<std::uint64_t> listener_inode(const sockaddr_in& address) {
  std::istringstream table(proc_text("/proc/self/net/tcp"));
  std::string line;
  std::getline(table, line);
  constexpr const char* kListens = "0A";
  // The address is printed as a number of this machine; 0 is all addresses.
  const std::string exact = fmt::format("{:08X}:{:04X}", address.sin_addr.s_addr,
                                        ntohs(address.sin_port)),
                    any = fmt::format("{:08X}:{:04X}", 0, ntohs(address.sin_port));
  while (std::getline(table, line)) {
    std::istringstream words(line);
    std::string slot, local, remote, state, queues, timer, retransmits, user, timeout;
    std::uint64_t inode = 0;
    words >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> user >>
        timeout >> inode;
    if (state == kListens && (local == exact || local == any) && inode != 0) return inode;
  }
  return std::nullopt;
}

bool holds(pid_t process, const std::string& target) {
  std::error_code failed;
  for (fs::directory_iterator entry(fmt::format("/proc/{}/fd", process), failed), end;
       !failed && entry != end; entry.increment(failed)) {
    std::error_code gone;
    if (fs::read_symlink(entry->path(), gone) == target) return true;
  }
  return false;
}

}  // namespace

std::vector<pid_t> family_of(pid_t process) {
  std::vector<pid_t> all = children_of(process);
  all.insert(all.begin(), process);
  return all;
}

double family_cpu_ns(pid_t process) {
  double total = 0;
  for (const pid_t member : family_of(process)) {
    clockid_t clock{};
    if (clock_getcpuclockid(member, &clock) == 0) total += cpu_clock_ns(clock);
  }
  // Children that have ended are in their parent's figures, in ticks.
  constexpr std::size_t kChildrenUser = 16, kChildrenSystem = 17;
  const std::vector<std::string> fields = stat_fields(process);
  const auto ticks =
      static_cast<double>(number_of(fields, kChildrenUser) + number_of(fields, kChildrenSystem));
  return total + ticks * 1e9 / static_cast<double>(sysconf(_SC_CLK_TCK));
}

void place_family(pid_t process, const CpuSet& cpus) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  for (const int cpu : cpus.list()) CPU_SET(cpu, &mask);
  for (const pid_t member : family_of(process)) {
    for_each_number_in(fmt::format("/proc/{}/task", member),
                       [&](pid_t thread) { sched_setaffinity(thread, sizeof mask, &mask); });
  }
}

bool is_bound_to(pid_t process, const CpuSet& cpus) {
  cpu_set_t mask;
  if (sched_getaffinity(process, sizeof mask, &mask) != 0) return false;
  int bound = 0;
  for (const int cpu : cpus.list()) bound += CPU_ISSET(cpu, &mask) ? 1 : 0;
  return bound == CPU_COUNT(&mask);
}

std::optional<pid_t> process_listening_on(const sockaddr_in& address) {
  const auto inode = listener_inode(address);
  if (!inode) return std::nullopt;
  const std::string target = fmt::format("socket:[{}]", *inode);
  // A child that was forked with the socket is not the one that accepts for all: the oldest is.
  std::optional<pid_t> found;
  std::uint64_t begun = 0;
  constexpr std::size_t kStarted = 22;
  for_each_number_in("/proc", [&](pid_t process) {
    if (!holds(process, target)) return;
    const std::uint64_t started = number_of(stat_fields(process), kStarted);
    if (!found || started < begun) {
      found = process;
      begun = started;
    }
  });
  return found;
}

}  // namespace precipice
