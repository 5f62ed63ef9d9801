#include "harness/host/proc_stat.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

namespace precipice {
namespace {

/// The next number of `text`, which is moved past it.
std::optional<std::int64_t> take_number(std::string_view& text) {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return std::nullopt;
  text.remove_prefix(begin);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

/// ksoftirqd/N by N. They live as long as the machine, so they are looked for once.
const std::map<int, int>& softirq_threads() {
  static const std::map<int, int> all = [] {
    std::map<int, int> found;
    std::error_code failed;
    constexpr std::string_view kName = "ksoftirqd/";
    for (const auto& entry : std::filesystem::directory_iterator("/proc", failed)) {
      const std::string name = entry.path().filename().string();
      int pid = 0;
      if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc()) continue;
      std::string command;
      std::getline(std::ifstream(entry.path() / "comm"), command);
      if (!command.starts_with(kName)) continue;
      int cpu = -1;
      std::from_chars(command.data() + kName.size(), command.data() + command.size(), cpu);
      if (cpu >= 0) found[cpu] = pid;
    }
    return found;
  }();
  return all;
}

}  // namespace

std::map<int, CpuTicks> parse_proc_stat(std::string_view text) {
  std::map<int, CpuTicks> result;
  while (text.starts_with("cpu")) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(3, end == std::string_view::npos ? end : end - 3);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.front() == ' ') continue;  // the sum over all CPUs
    const auto cpu = take_number(line);
    // user nice system idle iowait irq softirq steal
    std::vector<double> fields;
    while (const auto value = take_number(line)) fields.push_back(static_cast<double>(*value));
    if (!cpu || fields.size() < 8) continue;
    // guest and guest_nice, the last two, are in user and nice already.
    double all = 0;
    for (std::size_t i = 0; i < 8; ++i) all += fields[i];
    result[static_cast<int>(*cpu)] = {fields[0] + fields[1] + fields[2], fields[7], all};
  }
  return result;
}

std::map<int, CpuTicks> read_proc_stat(const CpuSet& cpus) {
  // Read until the end of the cpu lines only: what follows is long on machines with many devices.
  const int file = open("/proc/stat", O_RDONLY | O_CLOEXEC);
  std::string text;
  if (file >= 0) {
    char chunk[16384];
    for (ssize_t size = 0; (size = read(file, chunk, sizeof chunk)) > 0;) {
      text.append(chunk, static_cast<std::size_t>(size));
      if (text.find("\nintr") != std::string::npos) break;
    }
    close(file);
  }
  std::map<int, CpuTicks> result = parse_proc_stat(text);
  std::erase_if(result, [&](const auto& each) { return !cpus.contains(each.first); });
  return result;
}

std::optional<SchedStat> parse_schedstat(std::string_view text) {
  const auto ran = take_number(text);
  const auto waited = take_number(text);
  if (!ran || !waited) return std::nullopt;
  return SchedStat{*ran, *waited};
}

std::map<int, double> softirq_thread_ns(const CpuSet& cpus) {
  std::map<int, double> result;
  for (const auto& [cpu, pid] : softirq_threads()) {
    if (!cpus.contains(cpu)) continue;
    std::string line;
    std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/schedstat"), line);
    if (const auto stat = parse_schedstat(line)) result[cpu] = static_cast<double>(stat->ran_ns);
  }
  return result;
}

}  // namespace precipice
