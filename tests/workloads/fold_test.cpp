#include "workloads/fold.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "workloads/block_file.hpp"

namespace precipice {
namespace {

TEST(Fold, OneFlippedBitChangesTheDigest) {
  for (const std::size_t size : {1U, 8U, 31U, 32U, 33U, 100U, 4096U}) {
    std::vector<std::byte> bytes(size);
    fill_file_content(0, bytes);
    const std::uint64_t right = fold(bytes, 5);
    for (std::size_t at = 0; at < size; ++at) {
      bytes[at] ^= std::byte{0x10};
      EXPECT_NE(fold(bytes, 5), right) << at << " of " << size;
      bytes[at] ^= std::byte{0x10};
    }
    EXPECT_EQ(fold(bytes, 5), right);
    EXPECT_NE(fold(bytes, 6), right);
  }
}

TEST(Fold, SeesTheLengthOfZeros) {
  const std::vector<std::byte> zeros(64);
  std::set<std::uint64_t> digests;
  for (std::size_t size = 0; size <= zeros.size(); ++size) {
    digests.insert(fold(std::span(zeros).first(size), 0));
  }
  EXPECT_EQ(digests.size(), 65U);
}

}  // namespace
}  // namespace precipice
