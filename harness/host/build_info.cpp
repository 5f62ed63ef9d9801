#include "harness/host/build_info.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/Version.hpp>
#include <boost/version.hpp>
#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "this_build.hpp"

// Version headers alone, without what they come with.
#include <oneapi/tbb/version.h>
#include <toml++/impl/version.h>

namespace precipice {
namespace {

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

}  // namespace

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
    std::ifstream program("/proc/self/exe", std::ios::binary);
    std::vector<char> part(1 << 16);
    do {
      program.read(part.data(), static_cast<std::streamsize>(part.size()));
      for (const char byte :
           std::string_view(part.data(), static_cast<std::size_t>(program.gcount())))
        value = (value ^ static_cast<unsigned char>(byte)) * 0x100000001b3ULL;
    } while (program);
    return fmt::format("{:016x}", value);
  }();
  return hash;
}

}  // namespace precipice
