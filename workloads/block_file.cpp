#include "workloads/block_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "models/options.hpp"
#include "models/random.hpp"
#include "models/request.hpp"
#include "workloads/file_lock.hpp"

namespace precipice {
namespace {

constexpr int kVersion = 1;  // of the content; part of the name
constexpr std::uint64_t kSalt = 0x707265636970ULL;
constexpr std::size_t kSample = 4096;
constexpr int kSamples = 64;

std::string megabytes(std::uint64_t bytes) { return fmt::format("{:.1f} MiB", bytes / 1048576.0); }

Unavailable cannot(std::string_view what, const std::string& path, int error) {
  return Unavailable(
      fmt::format("file: cannot {} {}: {}; name another scratch directory in PRECIPICE_SCRATCH",
                  what, path, std::strerror(error)));
}

Unavailable no_room(const std::string& directory, std::uint64_t size) {
  return Unavailable(
      fmt::format("file: no room for a test file of {} in {}: free some space there, name "
                  "another scratch directory in PRECIPICE_SCRATCH, or take a smaller file "
                  "(file:size=16MiB)",
                  megabytes(size), directory));
}

bool block_is_right(int fd, std::uint64_t offset) {
  std::byte expected[kSample];
  std::byte found[kSample];
  fill_file_content(offset, expected);
  return pread(fd, found, kSample, static_cast<off_t>(offset)) == static_cast<ssize_t>(kSample) &&
         std::memcmp(expected, found, kSample) == 0;
}

bool is_whole(const std::string& path, std::uint64_t size) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!file.valid() || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
      static_cast<std::uint64_t>(status.st_size) != size) {
    return false;
  }
  const std::uint64_t blocks = size / kSample;
  bool right = block_is_right(file.get(), 0) && block_is_right(file.get(), (blocks - 1) * kSample);
  // Other blocks every time, so that damage is found sooner or later.
  Random random(static_cast<std::uint64_t>(Clock::now().time_since_epoch().count()));
  for (int i = 0; right && i < kSamples; ++i) {
    right = block_is_right(file.get(), random.below(blocks) * kSample);
  }
  posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
  return right;
}

/// 0, or the errno of the failure.
int write_content(int fd, std::uint64_t size, const std::function<void()>& may_give_up) {
  constexpr std::size_t kChunk = 1 << 20;
  std::vector<std::byte> chunk(kChunk);
  for (std::uint64_t at = 0; at < size;) {
    if (may_give_up) may_give_up();
    const std::size_t bytes = static_cast<std::size_t>(std::min<std::uint64_t>(kChunk, size - at));
    fill_file_content(at, std::span(chunk).first(bytes));
    for (std::size_t done = 0; done < bytes;) {
      const ssize_t written = write(fd, chunk.data() + done, bytes - done);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return errno;
      done += static_cast<std::size_t>(written);
    }
    at += bytes;
  }
  return fsync(fd) != 0 ? errno : 0;
}

/// A process that was killed while it made a file has left its part.
void remove_abandoned_parts(const std::string& directory) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename();
    if (name.starts_with("precipice-v") && name.find(".bin.") != std::string::npos)
      remove_abandoned(entry->path());
  }
}

/// A new file, locked: it stays until this process has renamed it or is gone.
Descriptor make_part(const std::string& path, std::string& part) {
  for (;;) {
    part = path + ".XXXXXX";
    Descriptor file(mkostemp(part.data(), O_CLOEXEC));
    if (!file.valid()) throw cannot("make", path, errno);
    // Another process may have taken it for abandoned before it was locked.
    if (lock_file(file.get()) != Locked::by_another && still_names(part, file.get())) return file;
  }
}

/// Why the filesystem of `fd` would serve O_DIRECT from memory or not at all, or nullopt.
std::optional<std::string> direct_refused(int fd, std::size_t block) {
  struct statfs filesystem {};
  if (fstatfs(fd, &filesystem) == 0) {
    // Recent kernels accept the flag on tmpfs, and copy from memory as ever.
    if (static_cast<unsigned long>(filesystem.f_type) == TMPFS_MAGIC) return "tmpfs has no device";
    if (static_cast<unsigned long>(filesystem.f_type) == RAMFS_MAGIC) return "ramfs has no device";
  }
  void* memory = nullptr;
  if (posix_memalign(&memory, 4096, block) != 0) return "no memory for a trial read";
  const std::unique_ptr<void, decltype(&std::free)> buffer(memory, &std::free);
  if (pread(fd, memory, block, 0) < 0) {
    return fmt::format("the filesystem refuses direct reads of {} bytes ({})", block,
                       std::strerror(errno));
  }
  return std::nullopt;
}

}  // namespace

void fill_file_content(std::uint64_t offset, std::span<std::byte> bytes) {
  std::uint64_t index = offset / sizeof(std::uint64_t);
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
    const std::uint64_t word = mix64(index++ ^ kSalt);
    std::memcpy(bytes.data() + at, &word, std::min(sizeof word, bytes.size() - at));
  }
}

std::string ensure_block_file(const std::string& directory, std::uint64_t size,
                              const std::function<void()>& may_give_up) {
  remove_abandoned_parts(directory);
  const std::string path = fmt::format("{}/precipice-v{}-{}.bin", directory, kVersion, size);
  if (is_whole(path, size)) return path;

  struct statvfs room {};
  if (statvfs(directory.c_str(), &room) != 0) throw cannot("use", directory, errno);
  struct stat old {};
  const std::uint64_t freed =
      stat(path.c_str(), &old) == 0 ? static_cast<std::uint64_t>(old.st_blocks) * 512 : 0;
  if (static_cast<std::uint64_t>(room.f_bavail) * room.f_frsize + freed < size) {
    throw no_room(directory, size);
  }
  // A file that fails its check is of no use, and its room may be needed.
  unlink(path.c_str());

  std::string temporary;
  const Descriptor file = make_part(path, temporary);
  int error = 0;
  try {
    error = write_content(file.get(), size, may_give_up);
  } catch (...) {
    unlink(temporary.c_str());
    throw;
  }
  if (error == 0) {
    posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
    if (rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  }
  if (error != 0) {
    unlink(temporary.c_str());
    if (error == ENOSPC || error == EDQUOT || error == EFBIG) throw no_room(directory, size);
    throw cannot("write", path, error);
  }
  return path;
}

BlockFile::BlockFile(const std::string& path, DirectIo direct, std::size_t block) {
  if (direct == DirectIo::off) {
    why_cached_ = "as asked";
  } else {
    Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECT));
    const std::optional<std::string> refused =
        !file.valid() ? std::optional<std::string>(std::strerror(errno))
                      : direct_refused(file.get(), block);
    if (!refused) {
      file_ = std::move(file);
      direct_ = true;
      return;
    }
    if (direct == DirectIo::on) {
      throw Unavailable(
          fmt::format("file: direct=on, but {} cannot be read with O_DIRECT: {}; "
                      "choose a scratch directory on a disk, or direct=auto",
                      path, *refused));
    }
    why_cached_ = *refused;
  }
  file_.reset(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file_.valid()) throw cannot("open", path, errno);
}

}  // namespace precipice
