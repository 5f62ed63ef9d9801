// What the kernel says of a machine, taken apart: pure functions over the texts of /proc and /sys.
// A text that is not as expected gives null or an empty answer, never an exception: such files
// differ between kernels, architectures and containers.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/json.hpp"

namespace precipice {

/// Where the texts come from: the real files, or a test's sample of another machine. Thread-safe.
class MachineFiles {
 public:
  MachineFiles() = default;
  MachineFiles(const MachineFiles&) = delete;
  MachineFiles& operator=(const MachineFiles&) = delete;
  virtual ~MachineFiles() = default;
  /// The whole text, or nullopt when it cannot be read.
  virtual std::optional<std::string> read(const std::string& path) const = 0;
  /// Names of a directory's entries, sorted; empty when there is none.
  virtual std::vector<std::string> list(const std::string& directory) const = 0;

  /// The first line without its newline.
  std::optional<std::string> line(const std::string& path) const;
  /// The same as JSON: a string or null; a number where the whole line is one and `number` is set.
  Json line_json(const std::string& path) const;
  Json number_json(const std::string& path) const;
};

/// /proc and /sys of this machine.
const MachineFiles& machine_files();

std::vector<std::string> lines_of(std::string_view text);
std::vector<std::string> words_of(std::string_view text);
std::string trimmed(std::string_view text);
/// The whole of `text` as a number; nullopt for anything else, `max` and `unlimited` included.
std::optional<double> number_of(std::string_view text);

/// `key : value` lines up to the first empty line, as in the first processor of /proc/cpuinfo.
/// Keys and values without surrounding blanks. The first of a repeated key counts.
std::map<std::string, std::string> colon_fields(std::string_view text);
/// `0-3,8` as numbers; empty for bad syntax.
std::vector<int> cpu_numbers(std::string_view text);
/// The word in brackets of `always [madvise] never`, the form in which sysfs shows a choice.
std::optional<std::string> chosen_of(std::string_view text);

/// /proc/pressure/*: {"some": {"avg10","avg60","avg300","total_us"}, "full": {...}}; null for "".
Json pressure_of(std::string_view text);
/// /proc/loadavg: {"1m","5m","15m","runnable","threads"}; the reader itself is not counted among
/// the runnable. Null for anything else.
Json load_of(std::string_view text);
/// /proc/self/limits: {"nofile": {"soft","hard"}, ...}, numbers or "unlimited".
Json limits_of(std::string_view text);
/// /proc/stat: steal ticks by `cpu`, `cpu0`, ...; the eighth field.
Json steal_of(std::string_view text);

/// One line of /proc/self/cgroup: the controllers ("" alone for v2) and the path.
struct CgroupLine {
  std::vector<std::string> controllers;
  std::string path;
};
std::vector<CgroupLine> cgroup_lines(std::string_view text);
/// The group's own path and those of its ancestors up to "", nearest first.
std::vector<std::string> with_ancestors(std::string_view path);

/// The words of a kernel command line that can change a number: mitigations, isolation, clock,
/// idle, memory, preemption. Nothing that names a device, a host or an address.
std::vector<std::string> relevant_kernel_options(std::string_view command_line);

}  // namespace precipice
