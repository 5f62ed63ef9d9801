// Compute, wait, compute: a request handler that asks something downstream in its middle.
//
// `work` and `wait` are the two means. `io_share` keeps their sum T = work + wait and divides it
// anew: wait = io_share x T, work = (1 - io_share) x T. So a sweep of io_share from 0 to 1 moves
// from pure computation to pure waiting while the unloaded service time stays the same. Each
// request draws its work, of which one half is done before the wait and one after it, and
// independently its wait. A part whose mean is 0 is left out, rather than awaited for no time.
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
        wait_(mean_option(options, "mixed", "wait", true)) {
    const Distribution dist = dist_option(options, "mixed");
    const Nanos total = work_ + wait_;
    if (total == Nanos(0)) throw UsageError("mixed: work and wait are both 0; give one of them");
    if (options.given("io_share")) {
      const double share = options.number("io_share", 0, 1);
      wait_ = Nanos(static_cast<std::int64_t>(share * static_cast<double>(total.count()) + 0.5));
      work_ = total - wait_;
    }
    if (work_ > Nanos(0)) half_.emplace(dist, work_ / 2, 0x6d69786564);
    if (wait_ > Nanos(0)) waits_.emplace(dist, wait_, 0x77616974);
  }

  void prepare(const WorkloadSetup& setup) override {
    tabulating_ = setup.tabulating;
    if (half_) half_->prepare(setup.tabulating);
  }
  Task<Outcome> run(Io& io, const Request& request) override {
    const std::uint64_t seed = request.seed;
    std::uint64_t digest = mix64(seed);
    if (half_) {
      const std::uint64_t before = co_await io.compute(half_->compute(seed));
      digest = fold(digest, before);
    }
    if (waits_) {
      const Nanos wait = tabulating_ ? Nanos(0) : (*waits_)[seed];
      const std::int64_t slept = co_await io.sleep(wait);
      if (slept < 0) co_return Outcome::failed(slept);
    }
    if (half_) {
      const std::uint64_t after = co_await io.compute(half_->compute(seed));
      digest = fold(digest, after);
    }
    co_return Outcome::ok(digest);
  }
  Nanos nominal_service() const override { return work_ + wait_; }
  Nanos nominal_draw(std::uint64_t seed) const override {
    Nanos draw{0};
    if (half_) draw += 2 * half_->draw(seed);
    if (waits_) draw += (*waits_)[seed];
    return draw;
  }
  Nanos nominal_cpu() const override { return work_; }

 private:
  Nanos work_;
  Nanos wait_;
  std::optional<CpuWork> half_;
  std::optional<Draws> waits_;
  bool tabulating_ = false;
};

}  // namespace

WorkloadInfo mixed_workload() {
  return {.name = "mixed",
          .summary = "compute, wait, compute",
          .control = false,
          .waits = true,
          .options = {{"work", "200us",
                       "mean CPU time of a request, half of it before the wait and half after; 0 "
                       "to 1m"},
                      {"wait", "200us",
                       "mean wait of a request, 0 to 1m; as long as the work by default, so that "
                       "io_share=0.5 is what is given"},
                      {"dist", "fixed", kDistHelp},
                      {"io_share", "",
                       "0 to 1: divides work + wait anew, this share of it waiting; unset, work "
                       "and wait are as given"}},
          .make = [](const Options& options) -> std::unique_ptr<Workload> {
            return std::make_unique<Mixed>(options);
          }};
}

}  // namespace precipice
