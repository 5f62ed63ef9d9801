#include "harness/host/throttling.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>

namespace precipice {
namespace {

constexpr std::string_view kMount = "/sys/fs/cgroup";

bool names_cpu(std::string_view controllers) {
  while (!controllers.empty()) {
    const std::size_t comma = controllers.find(',');
    if (controllers.substr(0, comma) == "cpu") return true;
    if (comma == std::string_view::npos) return false;
    controllers.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace

std::uint64_t throttled_periods_in(std::string_view cpu_stat) {
  constexpr std::string_view kName = "nr_throttled ";
  for (std::size_t begin = 0; begin < cpu_stat.size();) {
    const std::size_t end = std::min(cpu_stat.find('\n', begin), cpu_stat.size());
    const std::string_view line = cpu_stat.substr(begin, end - begin);
    begin = end + 1;
    if (!line.starts_with(kName)) continue;
    std::uint64_t value = 0;
    std::from_chars(line.data() + kName.size(), line.data() + line.size(), value);
    return value;
  }
  return 0;
}

std::vector<std::vector<std::string>> cpu_stat_paths(std::string_view proc_cgroup) {
  std::vector<std::vector<std::string>> result;
  for (std::size_t begin = 0; begin < proc_cgroup.size();) {
    const std::size_t end = std::min(proc_cgroup.find('\n', begin), proc_cgroup.size());
    const std::string_view line = proc_cgroup.substr(begin, end - begin);
    begin = end + 1;
    // hierarchy:controllers:path, and 0::path for version 2
    const std::size_t first = line.find(':');
    if (first == std::string_view::npos) continue;
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    std::vector<std::string> mounts;
    if (line.starts_with("0::")) {
      mounts = {std::string(kMount), std::string(kMount) + "/unified"};
    } else if (names_cpu(controllers)) {
      mounts = {std::string(kMount) + "/" + std::string(controllers), std::string(kMount) + "/cpu"};
    } else {
      continue;
    }
    std::string path(line.substr(second + 1));
    // Outside the root of its cgroup namespace: none of what is visible is above it.
    if (path.starts_with("/..")) continue;
    for (bool more = true; more;) {
      while (path.ends_with('/')) path.pop_back();
      std::vector<std::string>& same = result.emplace_back();
      for (const std::string& mount : mounts) same.push_back(mount + path + "/cpu.stat");
      more = !path.empty();
      path.resize(path.empty() ? 0 : path.rfind('/'));
    }
  }
  return result;
}

std::optional<std::uint64_t> read_throttled_periods() {
  const auto text_of = [](std::ifstream& file) {
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  std::ifstream groups("/proc/self/cgroup");
  std::optional<std::uint64_t> total;
  for (const auto& same : cpu_stat_paths(text_of(groups))) {
    for (const std::string& path : same) {
      std::ifstream stat(path);
      if (!stat) continue;
      total = total.value_or(0) + throttled_periods_in(text_of(stat));
      break;
    }
  }
  return total;
}

}  // namespace precipice
