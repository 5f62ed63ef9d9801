#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "tests/support/plain_io.hpp"

namespace precipice {
namespace {

using testing::make_workload;
using testing::PlainIo;
using testing::run_request;

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = ::testing::TempDir() + "precipice-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class FileWorkload : public ::testing::Test {
 protected:
  std::unique_ptr<Workload> prepared(std::map<std::string, std::string> given = {}) {
    given.emplace("size", "1MiB");
    auto workload = make_workload("file", given);
    workload->prepare({.scratch_directory = directory_.path()});
    return workload;
  }
  std::string the_file() const {
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
      return entry.path().string();
    }
    return "";
  }

  TemporaryDirectory directory_;
  PlainIo io_;
};

TEST_F(FileWorkload, DigestsAreThoseOfTheContent) {
  for (const char* direct : {"auto", "off"}) {
    const auto workload = prepared({{"direct", direct}});
    std::set<std::uint64_t> digests;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
      const Outcome outcome = run_request(*workload, io_, seed);
      ASSERT_TRUE(outcome.succeeded());
      EXPECT_EQ(outcome.digest, run_request(*workload, io_, seed).digest);
      digests.insert(outcome.digest);
    }
    EXPECT_EQ(digests.size(), 300U);
  }
}

TEST_F(FileWorkload, TheNoteSaysWhenThePageCacheAnswers) {
  EXPECT_NE(prepared({{"direct", "off"}})->note(), "");
  const auto workload = prepared();
  EXPECT_EQ(workload->note().empty(), (fcntl(workload->files().at(0), F_GETFL) & O_DIRECT) != 0);
}

TEST_F(FileWorkload, DirectOnTmpfsIsRefusedWithACure) {
  struct statfs filesystem {};
  if (statfs("/dev/shm", &filesystem) != 0 ||
      static_cast<unsigned long>(filesystem.f_type) != TMPFS_MAGIC) {
    GTEST_SKIP() << "/dev/shm is not a tmpfs here";
  }
  std::string name = "/dev/shm/precipice-XXXXXX";
  const std::string shared = mkdtemp(name.data());
  EXPECT_THROW(make_workload("file", {{"size", "64KiB"}, {"direct", "on"}})
                   ->prepare({.scratch_directory = shared}),
               Unavailable);
  const auto cached = make_workload("file", {{"size", "64KiB"}});
  cached->prepare({.scratch_directory = shared});
  EXPECT_NE(cached->note().find("tmpfs"), std::string::npos);
  std::filesystem::remove_all(shared);
}

TEST_F(FileWorkload, OneFlippedByteChangesTheDigest) {
  const auto workload = prepared();
  const std::uint64_t right = run_request(*workload, io_, 9).digest;
  for (const int at : {0, 1, 2047, 4095}) {
    io_.flip_byte = at;
    EXPECT_NE(run_request(*workload, io_, 9).digest, right) << at;
  }
  EXPECT_EQ(run_request(*workload, io_, 9).digest, right);
}

TEST_F(FileWorkload, ShortReadsAreContinued) {
  const auto workload = prepared({{"direct", "off"}, {"block", "64KiB"}});
  const std::uint64_t right = run_request(*workload, io_, 9).digest;
  for (const std::size_t most : {1000U, 4096U, 65535U}) {
    io_.most_bytes = most;
    EXPECT_EQ(run_request(*workload, io_, 9).digest, right) << most;
  }
}

TEST_F(FileWorkload, ShortDirectReadsAreContinuedAligned) {
  const auto workload = prepared({{"block", "64KiB"}});
  const std::uint64_t right = run_request(*workload, io_, 9).digest;
  io_.most_bytes = 4096;
  EXPECT_EQ(run_request(*workload, io_, 9).digest, right);
}

TEST_F(FileWorkload, AnErrorIsAnOutcome) {
  const auto workload = prepared();
  io_.fail_kind = IoOp::Kind::read;
  io_.fail_error = EIO;
  EXPECT_EQ(run_request(*workload, io_, 1).error, EIO);
  ASSERT_EQ(truncate(the_file().c_str(), 0), 0);
  EXPECT_EQ(run_request(*workload, io_, 1).error, EIO);
}

TEST_F(FileWorkload, IsMadeOnceAndFoundAgain) {
  prepared();
  struct stat first {};
  ASSERT_EQ(stat(the_file().c_str(), &first), 0);
  EXPECT_EQ(first.st_size, 1 << 20);
  prepared();
  struct stat second {};
  ASSERT_EQ(stat(the_file().c_str(), &second), 0);
  EXPECT_EQ(first.st_ino, second.st_ino);
  EXPECT_EQ(first.st_mtim.tv_nsec, second.st_mtim.tv_nsec);
}

TEST_F(FileWorkload, ATruncatedOrOverwrittenFileIsMadeAgain) {
  const std::uint64_t right = run_request(*prepared(), io_, 4).digest;
  ASSERT_EQ(truncate(the_file().c_str(), 8192), 0);
  EXPECT_EQ(run_request(*prepared(), io_, 4).digest, right);
  // The right size, but holes.
  ASSERT_EQ(truncate(the_file().c_str(), 0), 0);
  ASSERT_EQ(truncate(the_file().c_str(), 1 << 20), 0);
  EXPECT_EQ(run_request(*prepared(), io_, 4).digest, right);
}

TEST_F(FileWorkload, WithoutRoomOrDirectoryItSaysWhatToDo) {
  const auto huge = make_workload("file", {{"size", "1000000GiB"}});
  try {
    huge->prepare({.scratch_directory = directory_.path()});
    FAIL();
  } catch (const Unavailable& error) {
    EXPECT_NE(std::string(error.what()).find("no room"), std::string::npos) << error.what();
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
  EXPECT_THROW(
      make_workload("file", {})->prepare({.scratch_directory = directory_.path() + "/absent"}),
      Unavailable);
}

}  // namespace
}  // namespace precipice
