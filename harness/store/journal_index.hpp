// The journal of a run and where each of its lines is, so that one of gigabytes is opened without
// being built up in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/store/durable_file.hpp"
#include "models/options.hpp"

namespace precipice {

/// Before the key of a calibration's line.
inline constexpr const char* kCalibration = "calibration ";

/// Not thread-safe.
class JournalIndex {
 public:
  /// As AppendFile.
  explicit JournalIndex(const std::string& path) : file_(path) {}

  /// Finds the lines that are there; cuts the last one where it is torn. Returns what a user should
  /// know of that, or "". Throws UsageError where it is damaged elsewhere, or of another schema.
  std::string load();
  /// On disk when it returns. Throws CannotWrite.
  void append(const std::string& key, std::string_view line);

  bool contains(const std::string& key) const { return lines_.contains(key); }
  /// Of a key that it contains.
  std::string line(const std::string& key) const {
    const auto [offset, length] = lines_.at(key);
    return file_.read(offset, length);
  }
  /// Keys as they were written.
  const std::vector<std::string>& order() const { return order_; }
  /// That load found.
  std::size_t trials() const { return trials_; }
  const std::string& path() const { return file_.path(); }
  bool locked() const { return file_.locked(); }

 private:
  /// False when it is no line that this program writes.
  bool take_line(std::string_view line, std::uint64_t offset, int number);
  UsageError damaged(int line) const;

  AppendFile file_;
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> lines_;  ///< (offset, length)
  std::vector<std::string> order_;
  std::size_t trials_ = 0;
};

}  // namespace precipice
