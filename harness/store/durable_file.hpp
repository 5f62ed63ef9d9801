// Files that survive a crash at any moment: appended with fsync, or replaced whole.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace precipice {

/// A result could not be written: the message names the file, the reason and the cure. Exit code 5.
struct CannotWrite : std::runtime_error {
  /// `error` as an errno value.
  CannotWrite(const std::string& path, int error);
  using std::runtime_error::runtime_error;
  std::string problem;  ///< the message without the cure, or ""
};

/// Makes the directory and its parents; each new name is on disk when it returns. Throws
/// CannotWrite.
void make_directories(const std::string& path);
/// Makes the directory, on disk when it returns; false when the name is taken. Throws CannotWrite.
bool make_new_directory(const std::string& path);
/// What the directory that `path` lies in says of it is on disk when it returns. Throws
/// CannotWrite.
void sync_directory_of(const std::string& path);
/// Replaces the file by `text`, or leaves the old one as it was: temporary file, fsync, rename,
/// fsync of the directory. A device or a pipe is written to. Throws CannotWrite.
void replace_file(const std::string& path, std::string_view text);
/// The whole of a regular file; throws UsageError naming it when it cannot be read, or is none.
std::string read_file(const std::string& path);

/// replace_file for a text that comes in pieces: nothing is seen of it before commit. The temporary
/// file is PATH.part, which one process at a time may hold. Not thread-safe.
class Replacement {
 public:
  /// Throws CannotWrite, like write and commit.
  explicit Replacement(std::string path);
  Replacement(const Replacement&) = delete;
  Replacement& operator=(const Replacement&) = delete;
  /// Without a commit the old file stays.
  ~Replacement();

  void write(std::string_view text);
  void commit();
  /// For a tool that writes the file itself, instead of write; "" where a device is written to.
  const std::string& temporary() const { return temporary_; }

 private:
  void flush();
  [[noreturn]] void fail(int error);

  std::string path_, temporary_;  ///< temporary_: "" when the path itself is written to
  std::string buffer_;
  int fd_ = -1;
};

/// A file that only grows, one line at a time, and that one process at a time may hold. Not
/// thread-safe.
class AppendFile {
 public:
  /// Opens or makes the file, and locks it. Throws CannotWrite; EWOULDBLOCK when another process
  /// holds it.
  explicit AppendFile(const std::string& path);
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;
  ~AppendFile();

  /// Cuts the file to its first `bytes` bytes.
  void cut(std::uint64_t bytes);
  /// Appends `line` and a newline; on disk when it returns. When it throws CannotWrite the file is
  /// as before.
  void append(std::string_view line);
  /// Up to `bytes` bytes from `offset`, fewer only at the end of the file. Throws UsageError naming
  /// the file.
  std::string read(std::uint64_t offset, std::uint64_t bytes) const;
  std::uint64_t size() const { return size_; }
  const std::string& path() const { return path_; }
  /// False where the file system has no locks: then nothing keeps a second process away.
  bool locked() const { return locked_; }

 private:
  std::string path_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
  bool locked_ = false;
};

}  // namespace precipice
