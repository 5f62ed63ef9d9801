#include "models/cgroup_path.hpp"

#include <fstream>
#include <string>

namespace precipice {
namespace {

bool names(const std::string& controllers, std::string_view controller) {
  return ("," + controllers + ",").find("," + std::string(controller) + ",") != std::string::npos;
}

}  // namespace

std::vector<std::filesystem::path> cgroup_directories(const std::filesystem::path& proc,
                                                      const std::filesystem::path& mount,
                                                      std::string_view controller) {
  std::vector<std::filesystem::path> directories;
  std::ifstream in(proc / "self/cgroup");
  for (std::string line; std::getline(in, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    std::vector<std::filesystem::path> roots;
    if (controllers.empty()) {
      roots = {mount, mount / "unified"};
    } else if (names(controllers, controller)) {
      roots = {mount / controllers};
      if (controllers != controller) roots.push_back(mount / controller);
    }
    for (const std::filesystem::path& root : roots) {
      for (auto group = std::filesystem::path(line.substr(second + 1)).relative_path();;
           group = group.parent_path()) {
        directories.push_back(root / group);
        if (group.empty()) break;
      }
    }
  }
  return directories;
}

std::optional<std::uint64_t> read_limit(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::uint64_t value = 0;
  if (in >> value) return value;
  return std::nullopt;
}

}  // namespace precipice
