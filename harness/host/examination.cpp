#include "harness/host/examination.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace precipice {
namespace {

namespace fs = std::filesystem;

std::string filesystem_name(long type) {
  constexpr unsigned long kXfs = 0x58465342;
  switch (static_cast<unsigned long>(type)) {
    case TMPFS_MAGIC:
      return "tmpfs";
    case RAMFS_MAGIC:
      return "ramfs";
    case OVERLAYFS_SUPER_MAGIC:
      return "overlay";
    case EXT4_SUPER_MAGIC:
      return "ext";
    case BTRFS_SUPER_MAGIC:
      return "btrfs";
    case NFS_SUPER_MAGIC:
      return "nfs";
    case kXfs:
      return "xfs";
    default:
      return "";
  }
}

}  // namespace

Storage look_at_storage(const std::string& path) {
  Storage storage;
  std::error_code error;
  fs::path place = fs::absolute(path, error);
  while (!fs::is_directory(place, error) && place.has_relative_path()) place = place.parent_path();
  storage.path = place;
  if (struct statfs type{}; statfs(place.c_str(), &type) == 0)
    storage.filesystem = filesystem_name(type.f_type);
  if (struct statvfs space{}; statvfs(place.c_str(), &space) == 0)
    storage.free_bytes = std::uint64_t{space.f_bavail} * space.f_frsize;
  // An unnamed file is gone when it is closed.
  const int plain = open(place.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (plain < 0) return storage;
  close(plain);
  const int direct = open(place.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | O_DIRECT, 0600);
  if (direct >= 0) {
    storage.direct = true;
    close(direct);
  } else if (errno == EINVAL || errno == EOPNOTSUPP) {
    storage.direct = false;
  }
  return storage;
}

}  // namespace precipice
