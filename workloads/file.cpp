// Random reads of one block from a large file.
//
// A request's seed decides its block, so a run touches as many blocks as there are seeds: 4,096,
// one in each of as many equal slices of the file; 16 MiB of the default 256 MiB. With O_DIRECT
// every read goes to the device all the same. Without it (direct=off, or a filesystem that has no
// O_DIRECT, which note() then says) the blocks soon come from the page cache and the workload
// measures copying from memory.
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "models/random.hpp"
#include "workloads/block_file.hpp"
#include "workloads/draws.hpp"
#include "workloads/fold.hpp"
#include "workloads/parameters.hpp"
#include "workloads/workload.hpp"

namespace precipice {
namespace {

constexpr std::uint64_t kAlignment = 4096;  // of blocks: enough for every device's O_DIRECT
constexpr std::uint64_t kLargestBlock = 16 << 20;

// Planning figure only: about what a read takes on a solid-state disk.
constexpr Nanos kNominalRead = std::chrono::microseconds(100);

class File final : public Workload {
 public:
  explicit File(const Options& options)
      : size_(options.bytes("size")), block_(options.bytes("block")) {
    if (block_ == 0 || block_ % kAlignment != 0 || block_ > kLargestBlock) {
      throw UsageError(fmt::format("file: block={} is not a multiple of 4KiB up to 16MiB",
                                   options.text("block")));
    }
    if (size_ < block_ || size_ % kAlignment != 0) {
      throw UsageError(
          fmt::format("file: size={} is not a multiple of 4KiB that holds at least one block of {}",
                      options.text("size"), options.text("block")));
    }
    const std::string direct = options.choice("direct", {"auto", "on", "off"});
    direct_ = direct == "on" ? DirectIo::on : direct == "off" ? DirectIo::off : DirectIo::automatic;

    const std::uint64_t blocks = size_ / block_;
    Random random(0x66696c65);
    for (const std::uint32_t rank : shuffled_ranks(0x626c6f636b)) {
      const double position = (rank + random.uniform()) / static_cast<double>(kTabulatedSeeds);
      offsets_.push_back(static_cast<std::uint64_t>(position * static_cast<double>(blocks)) *
                         block_);
    }
  }

  void prepare(const WorkloadSetup& setup) override {
    if (directory_ == setup.scratch_directory && still_whole()) return;
    file_ = BlockFile(ensure_block_file(setup.scratch_directory, size_, setup.may_give_up), direct_,
                      block_);
    directory_ = setup.scratch_directory;
  }

  Task<Outcome> run(Io& io, const Request& request) override {
    const std::uint64_t seed = request.seed;
    const std::uint64_t offset = offsets_[seed % kTabulatedSeeds];
    const Lease lease = io.lease(block_);
    const std::span<std::byte> block = lease.span().first(block_);
    std::size_t done = 0;
    for (int fruitless = 0; done < block_;) {
      const std::int64_t got = co_await io.read(file_.fd(), block.subspan(done), offset + done);
      if (got < 0) co_return Outcome::failed(got);
      // The end of the file, inside it: somebody has cut it.
      if (got == 0) co_return Outcome::failed(EIO);
      std::size_t next = done + static_cast<std::size_t>(got);
      if (next < block_) next -= next % file_.alignment();
      if (next == done && ++fruitless > kFruitlessReads) co_return Outcome::failed(EIO);
      done = next;
    }
    co_return Outcome::ok(fold(block, mix64(seed)));
  }

  std::vector<int> files() const override { return {file_.fd()}; }
  std::size_t block_bytes() const override { return block_; }
  Nanos nominal_service() const override { return kNominalRead; }
  Nanos nominal_cpu() const override { return Nanos(0); }
  std::string note() const override {
    return file_.why_cached().empty()
               ? ""
               : fmt::format("direct=off ({}): reads come from the page cache", file_.why_cached());
  }

 private:
  static constexpr int kFruitlessReads = 8;

  /// Somebody may have cut it since the last trial.
  bool still_whole() const {
    struct stat status {};
    return file_.fd() >= 0 && fstat(file_.fd(), &status) == 0 &&
           static_cast<std::uint64_t>(status.st_size) == size_;
  }

  std::uint64_t size_;
  std::size_t block_;
  DirectIo direct_ = DirectIo::automatic;
  std::vector<std::uint64_t> offsets_;  ///< by seed
  BlockFile file_;
  std::string directory_;
};

}  // namespace

WorkloadInfo file_workload() {
  return {.name = "file",
          .summary = "a random read of one block from a large file",
          .control = false,
          .waits = true,
          .files = true,
          .options = {{"size", "256MiB",
                       "size of the file, a multiple of 4KiB; made once in the scratch directory"},
                      {"block", "4KiB",
                       "bytes that a request reads, a multiple of 4KiB up to 16MiB; 4KiB is a "
                       "database's page"},
                      {"direct", "auto",
                       "O_DIRECT: auto (where the filesystem has it), on or off; without it reads "
                       "come from the page cache"}},
          .make = [](const Options& options) -> std::unique_ptr<Workload> {
            return std::make_unique<File>(options);
          }};
}

}  // namespace precipice
