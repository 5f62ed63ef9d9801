#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <set>

#include "tests/support/plain_io.hpp"
#include "workloads/block_file.hpp"
#include "workloads/cpu_work.hpp"
#include "workloads/draws.hpp"
#include "workloads/fold.hpp"

namespace precipice {
namespace {

using testing::make_workload;
using testing::PlainIo;
using testing::run_request;

constexpr const char* kShapes[] = {"fixed",
                                   "exponential",
                                   "lognormal(0.5)",
                                   "lognormal(3)",
                                   "bimodal(0.9,1,100)",
                                   "bimodal(0.5,1,10)",
                                   "bimodal(0.99,100us,10ms)",
                                   "pareto(1.5)",
                                   "pareto(2.5)"};

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

// --- registry -------------------------------------------------------------------------------

TEST(Workloads, AreRegisteredUnderTheirNames) {
  std::vector<std::string_view> names;
  for (const WorkloadInfo& info : workloads()) names.push_back(info.name);
  EXPECT_EQ(names,
            (std::vector<std::string_view>{"cpu", "sleep", "file", "rpc", "mixed", "empty"}));
}

TEST(Workloads, AnUnknownNameGetsTheNearestOne) {
  try {
    workload_named("slep");
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean 'sleep'"), std::string::npos);
  }
}

TEST(Workloads, AWrongValueNamesItsKey) {
  for (const auto& [name, key, value] :
       std::vector<std::array<std::string, 3>>{{"cpu", "work", "0us"},
                                               {"cpu", "work", "2h"},
                                               {"cpu", "dist", "normal"},
                                               {"sleep", "wait", "0s"},
                                               {"file", "block", "5000"},
                                               {"file", "block", "0"},
                                               {"file", "size", "1KiB"},
                                               {"file", "direct", "perhaps"},
                                               {"rpc", "bytes", "63"},
                                               {"rpc", "bytes", "2MiB"},
                                               {"rpc", "connections", "-1"},
                                               {"mixed", "io_share", "1.5"},
                                               {"mixed", "dist", "pareto(1)"}}) {
    try {
      make_workload(name, {{key, value}});
      ADD_FAILURE() << name << ":" << key << "=" << value;
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find(key), std::string::npos) << error.what();
    }
  }
}

// --- draws ----------------------------------------------------------------------------------

TEST(Draws, HaveTheMeanNamedWhateverTheShape) {
  for (const char* shape : kShapes) {
    const Draws draws(Distribution::parse(shape, "test"), std::chrono::milliseconds(1), 7);
    double sum = 0;
    for (std::uint64_t seed = 0; seed < kTabulatedSeeds; ++seed) {
      EXPECT_GE(draws.ns(seed), 0);
      sum += draws.ns(seed);
    }
    EXPECT_NEAR(sum / kTabulatedSeeds, 1e6, 1) << shape;
  }
}

TEST(Draws, KeepTheShape) {
  // The share of draws below a quantile, and how many seeds it may be off by for the rescaling.
  for (const char* shape : {"exponential", "lognormal(0.5)", "pareto(2.5)"}) {
    const Distribution distribution = Distribution::parse(shape, "test");
    const Draws draws(distribution, std::chrono::milliseconds(1), 7);
    for (const double p : {0.1, 0.5, 0.9, 0.99}) {
      const double bound = 1e6 * distribution.quantile(p);
      int below = 0;
      for (std::uint64_t seed = 0; seed < kTabulatedSeeds; ++seed) below += draws.ns(seed) < bound;
      EXPECT_NEAR(below / 4096.0, p, 0.01) << shape << " at " << p;
    }
  }
  const Draws bimodal(Distribution::parse("bimodal(0.75,1,100)", "test"), Nanos(1000), 3);
  int low = 0;
  for (std::uint64_t seed = 0; seed < kTabulatedSeeds; ++seed) low += bimodal.ns(seed) < 1000;
  EXPECT_EQ(low, 3072);
}

TEST(Draws, QuantilesAgreeWithTheDraws) {
  for (const char* shape : {"exponential", "lognormal(1)", "bimodal(0.3,1,5)", "pareto(3)"}) {
    const Distribution distribution = Distribution::parse(shape, "test");
    Random random(11);
    constexpr int kDraws = 200'000;
    std::vector<double> draws(kDraws);
    for (double& draw : draws) draw = distribution.unit(random);
    for (const double p : {0.05, 0.25, 0.6, 0.95}) {
      const double bound = distribution.quantile(p) * (1 + 1e-9);
      int below = 0;
      for (const double draw : draws) below += draw <= bound;
      const double reached = static_cast<double>(below) / kDraws;
      // A mode holds more than the probability asked for; a continuous shape just that.
      if (std::string_view(shape).starts_with("bimodal")) {
        EXPECT_GE(reached, p - 0.005) << shape;
      } else {
        EXPECT_NEAR(reached, p, 0.005) << shape << " at " << p;
      }
    }
  }
}

TEST(Draws, SaltsGiveIndependentOrders) {
  const std::vector<std::uint32_t> first = shuffled_ranks(1);
  const std::vector<std::uint32_t> second = shuffled_ranks(2);
  double covariance = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    covariance += (first[i] - 2047.5) * (second[i] - 2047.5);
  }
  const double variance = 4096.0 * (4096.0 * 4096.0 - 1) / 12;
  EXPECT_LT(std::abs(covariance / variance), 0.06);
  EXPECT_EQ(std::set<std::uint32_t>(first.begin(), first.end()).size(), kTabulatedSeeds);
}

// --- fold -----------------------------------------------------------------------------------

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

// --- cpu ------------------------------------------------------------------------------------

TEST(CpuWork, JumpsToWhereTheChainWalks) {
  for (const std::uint64_t n : {0U, 1U, 2U, 3U, 1000U, 65'537U}) {
    EXPECT_EQ(jump_chain(42, n), run_chain(42, n)) << n;
    EXPECT_EQ(run_chain(rewind_chain(99, n), n), 99U) << n;
  }
}

TEST(CpuWork, AnIterationMoreOrLessIsSeen) {
  const std::uint64_t start = rewind_chain(7, 1000);
  EXPECT_EQ(run_chain(start, 1000), 7U);
  EXPECT_NE(run_chain(start, 999), 7U);
  EXPECT_NE(run_chain(start, 1001), 7U);
}

class Calibrated : public ::testing::Test {
 protected:
  void TearDown() override { set_cpu_iterations_per_us(measured_); }
  double measured_ = cpu_iterations_per_us();
};

TEST_F(Calibrated, IsMeasuredOnceAndCanBeFixed) {
  EXPECT_GT(measured_, 1);
  EXPECT_EQ(cpu_iterations_per_us(), measured_);
  set_cpu_iterations_per_us(123.5);
  EXPECT_EQ(cpu_iterations_per_us(), 123.5);
  EXPECT_THROW(set_cpu_iterations_per_us(0), UsageError);
  EXPECT_THROW(set_cpu_iterations_per_us(std::nan("")), UsageError);
}

TEST_F(Calibrated, DecidesTheMeanAmountOfWork) {
  set_cpu_iterations_per_us(1000);
  for (const char* shape : kShapes) {
    CpuWork work(Distribution::parse(shape, "test"), std::chrono::microseconds(200), 1);
    work.prepare(false);
    double sum = 0;
    for (std::uint64_t seed = 0; seed < kTabulatedSeeds; ++seed) {
      sum += static_cast<double>(work.iterations(seed));
    }
    EXPECT_NEAR(sum / kTabulatedSeeds, 200'000, 1) << shape;
  }
}

TEST_F(Calibrated, LeavesTheDigestsAsTheyAre) {
  const auto workload = make_workload("cpu", {{"work", "20us"}, {"dist", "exponential"}});
  PlainIo io;
  std::vector<std::uint64_t> digests;
  for (const double calibration : {500.0, 501.0, 1.5}) {
    set_cpu_iterations_per_us(calibration);
    workload->prepare({});
    for (std::uint64_t seed = 0; seed < 64; ++seed) {
      const Outcome outcome = run_request(*workload, io, seed);
      ASSERT_TRUE(outcome.succeeded());
      if (digests.size() <= seed) digests.push_back(outcome.digest);
      EXPECT_EQ(outcome.digest, digests[seed]);
    }
  }
  EXPECT_EQ(std::set<std::uint64_t>(digests.begin(), digests.end()).size(), digests.size());
}

// --- tabulating -----------------------------------------------------------------------------

TEST(Tabulating, GivesTheDigestsOfRealRuns) {
  for (const auto& [name, given] :
       std::vector<std::pair<std::string, std::map<std::string, std::string>>>{
           {"empty", {}},
           {"cpu", {{"work", "5us"}, {"dist", "lognormal(1)"}}},
           {"sleep", {{"wait", "10us"}}},
           {"mixed", {{"work", "5us"}, {"wait", "5us"}}}}) {
    const auto workload = make_workload(name, given);
    PlainIo io;
    std::vector<std::uint64_t> table;
    workload->prepare({.tabulating = true});
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      table.push_back(run_request(*workload, io, seed).digest);
    }
    workload->prepare({});
    for (int repeat = 0; repeat < 2; ++repeat) {
      for (std::uint64_t seed = 0; seed < 100; ++seed) {
        EXPECT_EQ(run_request(*workload, io, seed).digest, table[seed]) << name;
      }
    }
  }
}

TEST(Tabulating, WaitsForNothingAndSkipsNoOperation) {
  for (const char* name : {"sleep", "mixed"}) {
    const auto workload = make_workload(name, {{"wait", "1m"}});
    workload->prepare({.tabulating = true});
    PlainIo io;
    EXPECT_TRUE(run_request(*workload, io, 3).succeeded());
    EXPECT_EQ(io.asked_sleep, Nanos(0));
    EXPECT_EQ(std::count(io.kinds.begin(), io.kinds.end(), IoOp::Kind::sleep), 1);
  }
}

TEST(Tabulating, TakesNoTimeForLongWork) {
  const auto workload = make_workload("cpu", {{"work", "1m"}});
  workload->prepare({.tabulating = true});
  PlainIo io;
  for (std::uint64_t seed = 0; seed < kTabulatedSeeds; ++seed) {  // 68 hours of work
    ASSERT_TRUE(run_request(*workload, io, seed).succeeded());
  }
}

// --- sleep and mixed ------------------------------------------------------------------------

TEST(Sleep, ACancelledWaitFails) {
  const auto workload = make_workload("sleep", {});
  workload->prepare({});
  PlainIo io;
  io.fail_kind = IoOp::Kind::sleep;
  io.fail_error = ECANCELED;
  EXPECT_EQ(run_request(*workload, io, 1).error, ECANCELED);
}

TEST(Mixed, ComputesWaitsComputes) {
  using enum IoOp::Kind;
  const auto workload = make_workload("mixed", {{"work", "10us"}, {"wait", "30us"}});
  workload->prepare({});
  PlainIo io;
  EXPECT_TRUE(run_request(*workload, io, 1).succeeded());
  EXPECT_EQ(io.kinds, (std::vector{compute, sleep, compute}));
  EXPECT_EQ(workload->nominal_cpu(), std::chrono::microseconds(10));
  EXPECT_EQ(workload->nominal_service(), std::chrono::microseconds(40));
}

TEST(Mixed, IoShareDividesTheTotalAnew) {
  using enum IoOp::Kind;
  const auto parts = [](const char* share) {
    const auto workload =
        make_workload("mixed", {{"work", "10us"}, {"wait", "30us"}, {"io_share", share}});
    workload->prepare({});
    PlainIo io;
    EXPECT_TRUE(run_request(*workload, io, 1).succeeded());
    EXPECT_EQ(workload->nominal_service(), std::chrono::microseconds(40));
    return std::pair(io.kinds, workload->nominal_cpu());
  };
  EXPECT_EQ(parts("0"), std::pair(std::vector{compute, compute}, Nanos(40'000)));
  EXPECT_EQ(parts("0.5"), std::pair(std::vector{compute, sleep, compute}, Nanos(20'000)));
  EXPECT_EQ(parts("1"), std::pair(std::vector{sleep}, Nanos(0)));
}

// --- file -----------------------------------------------------------------------------------

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
