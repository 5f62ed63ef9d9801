#include "harness/host/examination.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace precipice {
namespace {

namespace fs = std::filesystem;

TEST(Doctor, LooksAtStorageAndLeavesNothingBehind) {
  std::string pattern = (fs::temp_directory_path() / "precipice-doctor-XXXXXX").string();
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  const Storage storage = look_at_storage(pattern + "/not/there/yet");
  EXPECT_EQ(storage.path, fs::path(pattern)) << "the nearest that exists";
  EXPECT_TRUE(storage.free_bytes.has_value());
  EXPECT_TRUE(fs::is_empty(pattern));
  fs::remove_all(pattern);
}

}  // namespace
}  // namespace precipice
