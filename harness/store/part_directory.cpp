#include "harness/store/part_directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "harness/store/durable_file.hpp"
#include "workloads/file_lock.hpp"

namespace precipice {

namespace fs = std::filesystem;

void remove_abandoned_parts(const std::string& directory) noexcept try {
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == kPartSuffix) remove_abandoned(entry->path());
  }
} catch (const std::exception&) {
  // Without memory for a name nothing is removed, which costs room alone.
}

std::unique_ptr<PartDirectory> PartDirectory::make(const std::string& name) {
  const std::string part = name + kPartSuffix;
  for (;;) {
    remove_abandoned(part);
    if (!make_new_directory(part)) return nullptr;
    Descriptor lock(::open(part.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    // Another process may have taken it for abandoned before it was locked.
    if (lock.valid() && lock_file(lock.get()) != Locked::by_another &&
        still_names(part, lock.get()))
      return std::unique_ptr<PartDirectory>(new PartDirectory(part, std::move(lock)));
  }
}

PartDirectory::~PartDirectory() {
  std::error_code error;
  if (!named_) fs::remove_all(part_, error);
}

bool PartDirectory::take_name(const std::string& name) {
  // What is in it is on disk before it is seen; where a directory cannot be synced it is as it is.
  if (::fsync(lock_.get()) != 0 && errno == EIO) throw CannotWrite(name, EIO);
  if (::rename(part_.c_str(), name.c_str()) != 0) {
    if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR) return false;
    throw CannotWrite(name, errno);
  }
  named_ = true;
  sync_directory_of(name);
  return true;
}

void PartDirectory::replace(const std::string& name) {
  if (::renameat2(AT_FDCWD, part_.c_str(), AT_FDCWD, name.c_str(), RENAME_EXCHANGE) == 0) {
    sync_directory_of(name);
    return;  // the part is the old one now, and goes with this object
  }
  if (errno == ENOENT && take_name(name)) return;
  // No exchange here: the old one has a name that nobody takes for a part, until there is a new
  // one.
  const std::string old = part_ + ".old";
  std::error_code error;
  fs::remove_all(old, error);
  if (::rename(name.c_str(), old.c_str()) != 0) throw CannotWrite(name, errno);
  try {
    if (!take_name(name)) throw CannotWrite(name, EEXIST);
  } catch (const CannotWrite&) {
    if (!named_) ::rename(old.c_str(), name.c_str());
    throw;
  }
  fs::remove_all(old, error);
}

}  // namespace precipice
