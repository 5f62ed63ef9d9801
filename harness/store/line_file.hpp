// A text that others read while it is written: whole lines at a time, without fsync.
#pragma once

#include <string>
#include <string_view>

namespace precipice {

class LineFile {
 public:
  /// Begins it anew; a pipe or a device is written to. Throws CannotWrite, like the others.
  explicit LineFile(std::string path);
  ~LineFile();
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;

  /// All of it has been handed to the kernel when it returns.
  void write(std::string_view lines);
  /// What was written has arrived, as far as the kernel says.
  void close();

 private:
  std::string path_;
  int fd_ = -1;
};

}  // namespace precipice
