// What a process was writing when it was killed: it is removed by the next that writes there, and
// what somebody still writes is left alone.
#include "harness/store/part_directory.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "harness/store/baseline.hpp"
#include "harness/store/durable_file.hpp"
#include "harness/store/temporary_directory.hpp"
#include "models/options.hpp"
#include "tests/support/environment_setting.hpp"
#include "workloads/block_file.hpp"
#include "workloads/file_lock.hpp"

namespace precipice {
namespace {

namespace fs = std::filesystem;
using testing::EnvironmentSetting;

class Parts : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "precipice-parts-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    place_ = pattern;
  }
  void TearDown() override { fs::remove_all(place_); }

  std::string file(const std::string& name, const std::string& text = "x") const {
    fs::create_directories(fs::path(place_ + "/" + name).parent_path());
    std::ofstream(place_ + "/" + name) << text;
    return place_ + "/" + name;
  }
  std::string directory(const std::string& name) const {
    file(name + "/content");
    return place_ + "/" + name;
  }
  /// Held by this process, through a descriptor of its own, as by another one.
  static Descriptor held(const std::string& path) {
    Descriptor descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(lock_file(descriptor.get()), Locked::yes);
    return descriptor;
  }
  std::size_t entries() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(place_), fs::directory_iterator()));
  }

  std::string place_;
};

TEST_F(Parts, AreRemovedUnlessSomebodyHoldsThem) {
  const std::string file_held = file("a.part"), directory_held = directory("b.part");
  const Descriptor first = held(file_held), second = held(directory_held);
  file("c.part");
  directory("d.part");
  file("e.txt");
  fs::create_symlink(directory("f"), place_ + "/g.part");
  remove_abandoned_parts(place_);
  EXPECT_TRUE(fs::exists(file_held) && fs::exists(directory_held + "/content"));
  EXPECT_FALSE(fs::exists(place_ + "/c.part") || fs::exists(place_ + "/d.part"));
  EXPECT_TRUE(fs::exists(place_ + "/e.txt") && fs::exists(place_ + "/f/content"));
}

TEST_F(Parts, OfAReplacedFileAreTakenOverOrRespected) {
  const std::string target = place_ + "/table.csv", part = file("table.csv.part", "torn, and long");
  replace_file(target, "new");
  EXPECT_EQ(read_file(target), "new");
  EXPECT_EQ(entries(), 1u);
  file("table.csv.part", "of another");
  const Descriptor other = held(part);
  EXPECT_THROW(replace_file(target, "mixed"), CannotWrite);
  EXPECT_EQ(read_file(target), "new");
  EXPECT_EQ(read_file(part), "of another");
}

TEST_F(Parts, OfATestFileOfAnySizeAreRemovedByTheNextTrial) {
  file("precipice-v1-4096.bin.ab12CD");
  const std::string others = file("precipice-v1-8192.bin.EF34gh");
  const Descriptor writer = held(others);
  file("somebody.bin.ab12CD");
  const std::string made = ensure_block_file(place_, 4096);
  EXPECT_FALSE(fs::exists(place_ + "/precipice-v1-4096.bin.ab12CD"));
  EXPECT_TRUE(fs::exists(others) && fs::exists(place_ + "/somebody.bin.ab12CD"));
  file("precipice-v1-4096.bin.ab12CD");
  EXPECT_EQ(ensure_block_file(place_, 4096), made);  // also where there is nothing to make
  EXPECT_FALSE(fs::exists(place_ + "/precipice-v1-4096.bin.ab12CD"));
}

TEST_F(Parts, BecomeADirectoryThatIsWholeOrNothing) {
  const std::string name = place_ + "/run";
  directory("run.part");  // of a process that was killed
  {
    const auto part = PartDirectory::make(name);
    ASSERT_NE(part, nullptr);
    EXPECT_TRUE(fs::is_empty(part->path()));
    EXPECT_EQ(PartDirectory::make(name), nullptr) << "two processes fill one directory";
  }
  EXPECT_EQ(entries(), 0u);
  const auto part = PartDirectory::make(name);
  replace_file(part->path() + "/manifest", "1");
  EXPECT_TRUE(part->take_name(name));
  const auto second = PartDirectory::make(name);
  replace_file(second->path() + "/manifest", "2");
  EXPECT_FALSE(second->take_name(name));
  EXPECT_EQ(read_file(name + "/manifest"), "1");
}

TEST_F(Parts, OfABaselineReplaceItInOneStep) {
  const std::string results = place_ + "/results", run = place_ + "/run";
  for (const char* version : {"1", "2"}) {
    file("run/manifest.json", version);
    fs::create_symlink("nowhere", run + "/dangling" + version);
    directory("results/baselines/other.part");
    const std::string saved = save_baseline(run, results, "main");
    EXPECT_EQ(read_file(saved + "/manifest.json"), version);
    EXPECT_EQ(fs::directory_iterator(results + "/baselines")->path(), saved);
  }
  EXPECT_THROW(save_baseline(run, results, "main.part"), UsageError);
}

TEST_F(Parts, OfTemporaryDirectoriesAreRemovedByTheNext) {
  const EnvironmentSetting setting("TMPDIR", place_);
  directory("test-abc123");
  directory("elsewhere-abc123");
  const TemporaryDirectory first("test-"), second("test-");
  EXPECT_EQ(entries(), 3u);
  EXPECT_TRUE(fs::is_directory(first.path()) && fs::is_directory(second.path()));
  EXPECT_TRUE(first.path().starts_with('/'));
}

TEST_F(Parts, WithoutATemporaryDirectoryTmpdirIsTheCure) {
  {
    const EnvironmentSetting setting("TMPDIR", "");  // counts as not set
    EXPECT_TRUE(TemporaryDirectory("precipice-test-").path().starts_with("/tmp/"));
  }
  const EnvironmentSetting setting("TMPDIR", place_ + "/none");
  try {
    const TemporaryDirectory none("test-");
    FAIL();
  } catch (const CannotWrite& error) {
    EXPECT_NE(std::string(error.what()).find("TMPDIR"), std::string::npos) << error.what();
  }
  const EnvironmentSetting good("TMPDIR", place_);
  const std::string full = TemporaryDirectory("test-").has_no_room(CannotWrite("x", ENOSPC)).what();
  EXPECT_NE(full.find("TMPDIR"), std::string::npos) << full;
  EXPECT_EQ(full.find("--out"), std::string::npos) << full;
}

TEST_F(Parts, ADeviceIsWrittenToAndNeverReplaced) {
  replace_file("/dev/null", "text");
  struct stat status {};
  ASSERT_EQ(stat("/dev/null", &status), 0);
  EXPECT_TRUE(S_ISCHR(status.st_mode));
  EXPECT_FALSE(fs::exists("/dev/null.part"));
  EXPECT_THROW(replace_file("/dev/full", "text"), CannotWrite);
}

TEST_F(Parts, WhatIsNoRegularFileIsNotWaitedFor) {
  const std::string pipe = place_ + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0644), 0);
  EXPECT_THROW(read_file(pipe), UsageError);
  EXPECT_THROW(read_file("/dev/zero"), UsageError);
  EXPECT_THROW(read_file(place_), UsageError);
  EXPECT_THROW(read_file(place_ + "/" + std::string(300, 'a')), UsageError);
  EXPECT_THROW(AppendFile{pipe}, CannotWrite);
  EXPECT_THROW(replace_file(pipe, "text"), CannotWrite);
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  replace_file(pipe, "text");
  char got[8] = {};
  EXPECT_EQ(::read(reader, got, sizeof got), 4);
  EXPECT_STREQ(got, "text");
  ::close(reader);
  ASSERT_EQ(rename(pipe.c_str(), (place_ + "/out.part").c_str()), 0);
  EXPECT_THROW(replace_file(place_ + "/out", "text"), CannotWrite);
}

}  // namespace
}  // namespace precipice
