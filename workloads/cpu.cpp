// Pure computation: what a model can make of its CPUs.
#include <memory>

#include "workloads/cpu_work.hpp"
#include "workloads/parameters.hpp"
#include "workloads/workload.hpp"

namespace precipice {
namespace {

class Cpu final : public Workload {
 public:
  explicit Cpu(const Options& options)
      : mean_(mean_option(options, "cpu", "work")),
        work_(dist_option(options, "cpu"), mean_, 0x637075) {}

  void prepare(const WorkloadSetup& setup) override { work_.prepare(setup.tabulating); }
  Task<Outcome> run(Io& io, const Request& request) override {
    const std::uint64_t digest = co_await io.compute(work_.compute(request.seed));
    co_return Outcome::ok(digest);
  }
  Nanos nominal_service() const override { return mean_; }
  Nanos nominal_draw(std::uint64_t seed) const override { return work_.draw(seed); }
  Nanos nominal_cpu() const override { return mean_; }

 private:
  Nanos mean_;
  CpuWork work_;
};

}  // namespace

WorkloadInfo cpu_workload() {
  return {.name = "cpu",
          .summary = "integer work in a fixed number of calibrated iterations",
          .control = false,
          .waits = false,
          .options = {{"work", "200us",
                       "mean CPU time of a request on an undisturbed CPU, above 0 and up to 1m; "
                       "200us is far above a wake-up and far below a scheduler's time slice"},
                      {"dist", "fixed", kDistHelp}},
          .make = [](const Options& options) -> std::unique_ptr<Workload> {
            return std::make_unique<Cpu>(options);
          }};
}

}  // namespace precipice
