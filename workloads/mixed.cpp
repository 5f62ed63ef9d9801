// Compute, wait, compute: a request handler that asks something downstream in its middle, or
// several things one after the other.
//
// `work` is the mean of all computing, `wait` that of each of the `waits` waits. `io_share` keeps
// the total T = work + waits x wait and divides it anew: io_share x T is waiting and the rest work.
// So a sweep of io_share from 0 to 1 moves from pure computation to pure waiting while the unloaded
// service time stays the same. Each request draws its work, which is done in equal parts before,
// between and after the waits, and independently each wait. A part whose mean is 0 is left out,
// rather than awaited for no time.
#include <fmt/format.h>

#include <memory>
#include <optional>

#include "models/random.hpp"
#include "workloads/cpu_work.hpp"
#include "workloads/draws.hpp"
#include "workloads/fold.hpp"
#include "workloads/parameters.hpp"
#include "workloads/workload.hpp"

namespace precipice {
namespace {

class Mixed final : public Workload {
 public:
  explicit Mixed(const Options& options)
      : work_(mean_option(options, "mixed", "work", true)),
        wait_(mean_option(options, "mixed", "wait", true)),
        count_(static_cast<int>(options.count("waits", 1, kMostWaits))) {
    const Distribution dist = dist_option(options, "mixed");
    const Distribution wait_dist =
        options.given("wait_dist")
            ? Distribution::parse(options.text("wait_dist"), "mixed: wait_dist")
            : dist;
    const Nanos total = work_ + count_ * wait_;
    if (total == Nanos(0)) throw UsageError("mixed: work and wait are both 0; give one of them");
    if (options.given("io_share")) {
      const double share = options.number("io_share", 0, 1);
      wait_ = Nanos(
          static_cast<std::int64_t>(share * static_cast<double>(total.count()) / count_ + 0.5));
      work_ = total - count_ * wait_;
    }
    if (work_ > Nanos(0)) part_.emplace(dist, work_ / (count_ + 1), 0x6d69786564);
    if (wait_ > Nanos(0)) waits_.emplace(wait_dist, wait_, 0x77616974);
    free_ = free_draws_option(options);
  }

  void prepare(const WorkloadSetup& setup) override {
    tabulating_ = setup.tabulating;
    if (part_) part_->prepare(setup.tabulating);
    if (waits_) waits_->draw_freely(free_ && !setup.calibrating);
  }
  Task<Outcome> run(Io& io, const Request& request) override {
    const std::uint64_t seed = request.seed;
    std::uint64_t digest = mix64(seed);
    for (int i = 0; i <= count_; ++i) {
      if (i > 0 && waits_) {
        const Nanos wait =
            tabulating_ ? Nanos(0) : waits_->of(request, static_cast<std::uint64_t>(i - 1));
        const std::int64_t slept = co_await io.sleep(wait);
        if (slept < 0) co_return Outcome::failed(slept);
      }
      if (part_) {
        const std::uint64_t part = co_await io.compute(part_->compute(seed));
        digest = fold(digest, part);
      }
    }
    co_return Outcome::ok(digest);
  }
  Nanos nominal_service() const override { return work_ + count_ * wait_; }
  Nanos nominal_draw(std::uint64_t seed) const override {
    Nanos draw{0};
    if (part_) draw += (count_ + 1) * part_->draw(seed);
    for (int i = 0; waits_ && i < count_; ++i)
      draw += waits_->stratified(seed, static_cast<std::uint64_t>(i));
    return draw;
  }
  Nanos nominal_cpu() const override { return work_; }

 private:
  static constexpr std::uint64_t kMostWaits = 100;

  Nanos work_;
  Nanos wait_;
  int count_;
  std::optional<CpuWork> part_;
  std::optional<Draws> waits_;
  bool free_ = false;
  bool tabulating_ = false;
};

}  // namespace

WorkloadInfo mixed_workload() {
  return {.name = "mixed",
          .summary = "compute, wait, compute",
          .control = false,
          .waits = true,
          .options = {{"work", "200us",
                       "mean CPU time of a request, in equal parts before, between and after its "
                       "waits; 0 to 1m"},
                      {"wait", "200us",
                       "mean of each wait, 0 to 1m; as long as the work by default, so that "
                       "io_share=0.5 is what is given"},
                      {"waits", "1", "waits one after the other, 1 to 100"},
                      {"dist", "fixed", kDistHelp},
                      {"wait_dist", "", "distribution of each wait; unset, as dist"},
                      {"draws", "stratified", kDrawsHelp},
                      {"io_share", "",
                       "0 to 1: divides work and all waits anew, this share of the sum waiting; "
                       "unset, work and wait are as given"}},
          .make = [](const Options& options) -> std::unique_ptr<Workload> {
            return std::make_unique<Mixed>(options);
          }};
}

}  // namespace precipice
