// A directory in memory for the targets whose readers take paths.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "tests/fuzz/property.hpp"

namespace precipice::fuzz {

/// Removed at the end of the process.
class Scratch {
 public:
  Scratch() {
    std::error_code error;
    std::string name = std::filesystem::is_directory("/dev/shm", error)
                           ? "/dev/shm/precipice-fuzz-XXXXXX"
                           : "/tmp/precipice-fuzz-XXXXXX";
    require(mkdtemp(name.data()) != nullptr, "a scratch directory can be made", name);
    path_ = name;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }

  const std::string& path() const { return path_; }
  void write(const std::string& name, std::string_view content) const {
    const std::filesystem::path file = std::filesystem::path(path_) / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
  }

 private:
  std::string path_;
};

}  // namespace precipice::fuzz
