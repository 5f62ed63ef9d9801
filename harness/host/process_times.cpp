#include "harness/host/process_times.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace precipice {
namespace {

namespace fs = std::filesystem;

template <class Number>
Number number_in(const std::vector<std::string_view>& fields, std::size_t at) {
  Number value{};
  if (at < fields.size())
    std::from_chars(fields[at].data(), fields[at].data() + fields[at].size(), value);
  return value;
}

std::optional<ProcessTime> read_stat(const fs::path& directory) {
  std::ifstream file(directory / "stat", std::ios::binary);
  // A name may hold a newline.
  std::ostringstream text;
  text << file.rdbuf();
  return file ? parse_process_stat(text.str()) : std::nullopt;
}

template <class Use>
void for_each_number_in(const fs::path& directory, Use use) {
  std::error_code failed;
  for (fs::directory_iterator entry(directory, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    const std::string name = entry->path().filename();
    if (!name.empty() && name.find_first_not_of("0123456789") == std::string::npos)
      use(entry->path());
  }
}

/// Where the threads that run now are, or where all were last if none runs.
bool touches(const ProcessTime& process, const CpuSet& cpus, const std::string& proc) {
  if (process.threads == 1) return cpus.contains(process.cpu);
  bool running_here = false, running = false, last_here = false;
  for_each_number_in(fs::path(proc) / std::to_string(process.pid) / "task",
                     [&](const fs::path& task) {
                       const auto thread = read_stat(task);
                       if (!thread) return;
                       const bool here = cpus.contains(thread->cpu);
                       running = running || thread->running;
                       running_here = running_here || (thread->running && here);
                       last_here = last_here || here;
                     });
  return running ? running_here : last_here;
}

}  // namespace

std::optional<ProcessTime> parse_process_stat(std::string_view text) {
  // pid (name) state ...: the name may hold blanks and parentheses, what follows does not.
  const std::size_t open = text.find('('), close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open)
    return std::nullopt;
  ProcessTime process;
  process.name = text.substr(open + 1, close - open - 1);
  std::from_chars(text.data(), text.data() + open, process.pid);
  std::vector<std::string_view> fields;
  for (std::size_t at = close + 1; at < text.size();) {
    at = text.find_first_not_of(" \n", at);
    if (at == std::string_view::npos) break;
    const std::size_t end = std::min(text.find_first_of(" \n", at), text.size());
    fields.push_back(text.substr(at, end - at));
    at = end;
  }
  // proc(5) counts from 1, and the state is its field 3.
  constexpr std::size_t kState = 0, kUser = 11, kSystem = 12, kThreads = 17, kStarted = 19,
                        kProcessor = 36;
  if (process.pid <= 0 || fields.size() <= kProcessor) return std::nullopt;
  process.running = fields[kState] == "R";
  process.cpu_ticks = static_cast<double>(number_in<std::uint64_t>(fields, kUser) +
                                          number_in<std::uint64_t>(fields, kSystem));
  process.threads = std::max(1, number_in<int>(fields, kThreads));
  process.started = number_in<std::uint64_t>(fields, kStarted);
  process.cpu = number_in<int>(fields, kProcessor);
  return process;
}

std::map<int, ProcessTime> read_processes(const std::string& proc) {
  std::map<int, ProcessTime> result;
  for_each_number_in(proc, [&](const fs::path& directory) {
    if (auto process = read_stat(directory)) result[process->pid] = std::move(*process);
  });
  return result;
}

std::vector<ProcessUse> processes_between(const std::map<int, ProcessTime>& before,
                                          const std::map<int, ProcessTime>& after, double elapsed_s,
                                          double ticks_per_s, const CpuSet& cpus, int own,
                                          double least, const std::string& proc) {
  std::vector<ProcessUse> result;
  for (const auto& [pid, process] : after) {
    if (pid == own || !(elapsed_s > 0)) continue;
    const auto earlier = before.find(pid);
    const bool same = earlier != before.end() && earlier->second.started == process.started;
    const double ticks = process.cpu_ticks - (same ? earlier->second.cpu_ticks : 0);
    const double share = ticks / ticks_per_s / elapsed_s;
    if (share >= least && touches(process, cpus, proc))
      result.push_back({pid, process.name, share});
  }
  std::stable_sort(result.begin(), result.end(),
                   [](const ProcessUse& a, const ProcessUse& b) { return a.share > b.share; });
  return result;
}

}  // namespace precipice
