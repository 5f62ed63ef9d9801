#include "workloads/server_programs.hpp"

#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace precipice {
namespace {

namespace fs = std::filesystem;

bool can_run(const fs::path& program) { return ::access(program.c_str(), X_OK) == 0; }

bool holds_postgres(const fs::path& directory) {
  return can_run(directory / "postgres") && can_run(directory / "initdb");
}

}  // namespace

std::optional<std::string> redis_server_program() {
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "";
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const fs::path program = fs::path(rest.substr(0, end)) / "redis-server";
    // Relative to a directory that is not the server's own.
    if (program.is_absolute() && can_run(program)) return program.string();
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return std::nullopt;
}

std::optional<std::string> postgres_program_directory() {
  if (const char* named = std::getenv("PRECIPICE_POSTGRES_BIN"); named != nullptr && *named != 0)
    return holds_postgres(named) ? std::optional<std::string>(named) : std::nullopt;
  int newest = -1;
  std::optional<std::string> result;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", failed)) {
    const std::string version = entry.path().filename();
    int number = -1;
    std::from_chars(version.data(), version.data() + version.size(), number);
    const fs::path directory = entry.path() / "bin";
    if (number > newest && holds_postgres(directory)) {
      newest = number;
      result = directory.string();
    }
  }
  return result;
}

}  // namespace precipice
