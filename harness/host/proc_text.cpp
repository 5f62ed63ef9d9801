#include "harness/host/proc_text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

namespace precipice {
namespace {

namespace fs = std::filesystem;

class RealFiles final : public MachineFiles {
 public:
  std::optional<std::string> read(const std::string& path) const override {
    std::error_code error;
    if (fs::is_directory(path, error)) return std::nullopt;
    std::ifstream file(path);
    if (!file) return std::nullopt;
    std::string text(std::istreambuf_iterator<char>(file), {});
    // A file that opens but refuses to be read (a cgroup file of a dead group) has no text.
    if (file.bad()) return std::nullopt;
    return text;
  }
  std::vector<std::string> list(const std::string& directory) const override {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
         entry.increment(error))
      names.push_back(entry->path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }
};

Json number_or_text(std::string_view text) {
  const auto value = number_of(text);
  if (!value) return std::string(text);
  if (*value >= 0 && *value < 9e15 && text.find_first_of(".eE") == std::string_view::npos)
    return static_cast<std::uint64_t>(*value);
  return *value;
}

}  // namespace

std::optional<std::string> MachineFiles::line(const std::string& path) const {
  auto text = read(path);
  if (!text || text->empty()) return std::nullopt;
  text->resize(std::min(text->size(), text->find('\n')));
  return text;
}

Json MachineFiles::line_json(const std::string& path) const {
  const auto text = line(path);
  return text ? Json(trimmed(*text)) : Json(nullptr);
}

Json MachineFiles::number_json(const std::string& path) const {
  const auto text = line(path);
  return text ? number_or_text(trimmed(*text)) : Json(nullptr);
}

const MachineFiles& machine_files() {
  static const RealFiles files;
  return files;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  constexpr std::string_view kBlanks = " \t\n";
  for (std::size_t at = text.find_first_not_of(kBlanks); at != std::string_view::npos;
       at = text.find_first_not_of(kBlanks, at)) {
    const std::size_t end = std::min(text.size(), text.find_first_of(kBlanks, at));
    words.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(kBlanks) - first + 1));
}

std::optional<double> number_of(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (!(value > -1e18 && value < 2e19)) return std::nullopt;  // nan and inf are words to from_chars
  return value;
}

std::map<std::string, std::string> colon_fields(std::string_view text) {
  std::map<std::string, std::string> fields;
  for (const std::string& line : lines_of(text)) {
    if (trimmed(line).empty()) {
      if (fields.empty()) continue;
      break;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    fields.emplace(trimmed(std::string_view(line).substr(0, colon)),
                   trimmed(std::string_view(line).substr(colon + 1)));
  }
  return fields;
}

std::vector<int> cpu_numbers(std::string_view text) {
  constexpr int kMost = 1 << 16;
  std::vector<int> cpus;
  const std::string whole = trimmed(text);
  std::string_view rest = whole;
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    const std::size_t dash = part.find('-');
    const auto first = number_of(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : number_of(part.substr(dash + 1));
    if (!first || !last || *first < 0 || *last < *first || *last > kMost) return {};
    for (int cpu = static_cast<int>(*first); cpu <= static_cast<int>(*last); ++cpu)
      cpus.push_back(cpu);
  }
  return cpus;
}

std::optional<std::string> chosen_of(std::string_view text) {
  const std::size_t open = text.find('[');
  const std::size_t close = text.find(']', open == std::string_view::npos ? 0 : open);
  if (open == std::string_view::npos || close == std::string_view::npos) return std::nullopt;
  return std::string(text.substr(open + 1, close - open - 1));
}

Json pressure_of(std::string_view text) {
  Json json = nullptr;
  for (const std::string& line : lines_of(text)) {
    const std::vector<std::string> words = words_of(line);
    if (words.empty() || (words[0] != "some" && words[0] != "full")) continue;
    Json& kind = json[words[0]] = Json::object();
    for (std::size_t i = 1; i < words.size(); ++i) {
      const std::size_t equals = words[i].find('=');
      if (equals == std::string::npos) continue;
      const auto value = number_of(std::string_view(words[i]).substr(equals + 1));
      const std::string key = words[i].substr(0, equals);
      kind[key == "total" ? "total_us" : key] = value ? Json(*value) : Json(nullptr);
    }
  }
  return json;
}

Json load_of(std::string_view text) {
  const std::vector<std::string> words = words_of(text);
  if (words.size() < 4) return nullptr;
  const std::size_t slash = words[3].find('/');
  if (slash == std::string::npos) return nullptr;
  const auto runnable = number_of(std::string_view(words[3]).substr(0, slash));
  const auto threads = number_of(std::string_view(words[3]).substr(slash + 1));
  const auto m1 = number_of(words[0]), m5 = number_of(words[1]), m15 = number_of(words[2]);
  if (!runnable || !threads || !m1 || !m5 || !m15) return nullptr;
  return {{"1m", *m1},
          {"5m", *m5},
          {"15m", *m15},
          {"runnable", std::max(0.0, *runnable - 1)},
          {"threads", *threads}};
}

Json limits_of(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, const char*>, 6> kLimits = {{
      {"Max open files", "nofile"},
      {"Max processes", "nproc"},
      {"Max locked memory", "memlock"},
      {"Max stack size", "stack"},
      {"Max file size", "file_size"},
      {"Max address space", "address_space"},
  }};
  Json json = Json::object();
  for (const auto& [title, name] : kLimits) json[name] = nullptr;
  for (const std::string& line : lines_of(text)) {
    for (const auto& [title, name] : kLimits) {
      if (!line.starts_with(title)) continue;
      const auto words = words_of(std::string_view(line).substr(title.size()));
      if (words.size() >= 2)
        json[name] = {{"soft", number_or_text(words[0])}, {"hard", number_or_text(words[1])}};
    }
  }
  return json;
}

Json steal_of(std::string_view text) {
  constexpr std::size_t kSteal = 8;  // after the name: user nice system idle iowait irq softirq
  Json json = Json::object();
  for (const std::string& line : lines_of(text)) {
    if (!line.starts_with("cpu")) break;
    const std::vector<std::string> words = words_of(line);
    if (words.size() > kSteal) json[words[0]] = number_or_text(words[kSteal]);
  }
  return json;
}

std::vector<CgroupLine> cgroup_lines(std::string_view text) {
  std::vector<CgroupLine> groups;
  for (const std::string& line : lines_of(text)) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    CgroupLine group;
    group.path = line.substr(second + 1);
    std::string_view names = std::string_view(line).substr(first + 1, second - first - 1);
    while (!names.empty()) {
      const std::size_t comma = names.find(',');
      group.controllers.emplace_back(names.substr(0, comma));
      names.remove_prefix(comma == std::string_view::npos ? names.size() : comma + 1);
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

std::vector<std::string> with_ancestors(std::string_view path) {
  std::vector<std::string> paths;
  while (!path.empty() && path != "/") {
    paths.emplace_back(path);
    path = path.substr(0, path.rfind('/') == std::string_view::npos ? 0 : path.rfind('/'));
  }
  paths.emplace_back("");
  return paths;
}

std::vector<std::string> relevant_kernel_options(std::string_view command_line) {
  // Names as in the kernel's admin-guide/kernel-parameters; a name that ends in '.' is a prefix.
  constexpr std::array kNames = {"mitigations",
                                 "isolcpus",
                                 "nohz",
                                 "nohz_full",
                                 "rcu_nocbs",
                                 "rcu_nocb_poll",
                                 "clocksource",
                                 "tsc",
                                 "idle",
                                 "processor.max_cstate",
                                 "intel_idle.max_cstate",
                                 "cpuidle.",
                                 "haltpoll.",
                                 "cpuidle_haltpoll.",
                                 "intel_pstate",
                                 "amd_pstate",
                                 "cpufreq.",
                                 "transparent_hugepage",
                                 "hugepages",
                                 "hugepagesz",
                                 "preempt",
                                 "skew_tick",
                                 "threadirqs",
                                 "irqaffinity",
                                 "nosmt",
                                 "maxcpus",
                                 "nr_cpus",
                                 "mem",
                                 "psi",
                                 "nosoftlockup",
                                 "nowatchdog",
                                 "nmi_watchdog",
                                 "audit",
                                 "pti",
                                 "nopti",
                                 "spectre_v2",
                                 "nospectre_v1",
                                 "nospectre_v2",
                                 "spec_store_bypass_disable",
                                 "l1tf",
                                 "mds",
                                 "tsx",
                                 "tsx_async_abort",
                                 "retbleed",
                                 "srbds",
                                 "mmio_stale_data",
                                 "gather_data_sampling",
                                 "reg_file_data_sampling",
                                 "spec_rstack_overflow",
                                 "numa_balancing",
                                 "numa",
                                 "swapaccount",
                                 "cgroup_disable",
                                 "systemd.unified_cgroup_hierarchy",
                                 "workqueue.",
                                 "rcupdate.",
                                 "rcutree.",
                                 "sched_"};
  std::vector<std::string> kept;
  for (const std::string& word : words_of(command_line)) {
    if (word == "--") break;  // what follows is for the first process, not for the kernel
    if (word.find('/') != std::string::npos) continue;
    const std::string_view name = std::string_view(word).substr(0, word.find('='));
    const bool wanted = std::any_of(kNames.begin(), kNames.end(), [&](std::string_view known) {
      return known.ends_with('.') || known.ends_with('_') ? name.starts_with(known) : name == known;
    });
    if (wanted) kept.push_back(word);
  }
  return kept;
}

}  // namespace precipice
