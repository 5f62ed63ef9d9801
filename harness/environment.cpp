#include "harness/environment.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <CLI/Version.hpp>
#include <algorithm>
#include <boost/version.hpp>
#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>

#include "build_info.hpp"
#include "harness/anonymous.hpp"
#include "harness/durable.hpp"
#include "harness/machine.hpp"
#include "harness/wake_up.hpp"

// Version headers alone, without what they come with.
#include <oneapi/tbb/version.h>
#include <toml++/impl/version.h>

namespace precipice {
namespace {

std::string utc_text() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[64];
  text[std::strftime(text, sizeof text, "%FT%TZ", &utc)] = '\0';
  return text;
}

Json libraries_json() {
  char libc[64] = "";
  confstr(_CS_GNU_LIBC_VERSION, libc, sizeof libc);
  return {{"boost", BOOST_LIB_VERSION},
          {"tbb", fmt::format("{}.{}", TBB_VERSION_MAJOR, TBB_VERSION_MINOR)},
          {"fmt", fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100,
                              FMT_VERSION % 100)},
          {"json", fmt::format("{}.{}.{}", NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR,
                               NLOHMANN_JSON_VERSION_PATCH)},
          {"cli11", CLI11_VERSION},
          {"toml++", fmt::format("{}.{}.{}", TOML_LIB_MAJOR, TOML_LIB_MINOR, TOML_LIB_PATCH)},
          {"liburing", PRECIPICE_LIBURING},
          {"libstdc++", std::to_string(__GLIBCXX__)},
          {"libc", libc}};
}

Json build_json() {
  const std::string sanitizers = sanitizers_in(build::kFlags);
#ifdef NDEBUG
  constexpr bool kAsserts = false;
#else
  constexpr bool kAsserts = true;
#endif
#ifdef __OPTIMIZE__
  constexpr bool kOptimised = true;
#else
  constexpr bool kOptimised = false;
#endif
  return {{"version", build::kVersion},
          {"git_sha", build::kGitSha},
          {"git_dirty", build::kGitDirty},
          {"compiler", build::kCompiler},
          {"type", build::kType},
          {"flags", build::kFlags},
          {"optimised", kOptimised},
          {"assertions", kAsserts},
          {"sanitizers", sanitizers.empty() ? Json(nullptr) : Json(sanitizers)},
          {"binary_hash", binary_hash()},
          {"libraries", libraries_json()}};
}

}  // namespace

std::string sanitizers_in(const std::string& flags) {
  std::string found;
  for (const char* name : {"address", "undefined", "thread", "leak"}) {
    for (std::size_t at = flags.find(name); at != std::string::npos;
         at = flags.find(name, at + 1)) {
      const std::size_t end = at + std::string_view(name).size();
      const char before = at == 0 ? ' ' : flags[at - 1];
      const char after = end == flags.size() ? ' ' : flags[end];
      // As -fsanitize=address,undefined or as the bare list of the build option.
      if ((before == ' ' || before == ',' || before == '=') && (after == ' ' || after == ',')) {
        found += (found.empty() ? "" : ",") + std::string(name);
        break;
      }
    }
  }
  return found;
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

Json environment_json(const EnvironmentOptions& options) {
  constexpr int kSleeps = 300;
  constexpr Nanos kLength = std::chrono::microseconds(200);
  Json json = {{"schema", kSchema}, {"anonymous", false}, {"time", utc_text()}};
  json.update(machine_json(machine_files()));
  if (utsname names{}; json["kernel"]["machine"].is_null() && uname(&names) == 0)
    json["kernel"]["machine"] = names.machine;  // /proc/sys/kernel/arch came with 6.1
  json["ticks_per_s"] = sysconf(_SC_CLK_TCK);
  json["memory"]["page_bytes"] = sysconf(_SC_PAGESIZE);
  json["timer"] = {
      {"slack_ns", json["kernel"]["timer_slack_ns"]},
      {"wake_up_error_ns",
       wake_ups_json(measure_wake_ups(options.wake_up_cpus, kSleeps, kLength), kLength)}};
  json["build"] = build_json();
  if (options.anonymous) json = anonymous_environment(std::move(json), Secrets::of_this_process());
  return json;
}

}  // namespace precipice
