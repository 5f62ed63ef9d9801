// A wait for something downstream that needs no CPU here: how many requests a model can have
// waiting.
#include <memory>

#include "models/random.hpp"
#include "workloads/draws.hpp"
#include "workloads/parameters.hpp"
#include "workloads/workload.hpp"

namespace precipice {
namespace {

class Sleep final : public Workload {
 public:
  explicit Sleep(const Options& options)
      : mean_(mean_option(options, "sleep", "wait")),
        waits_(dist_option(options, "sleep"), mean_, 0x736c656570),
        free_(free_draws_option(options)) {}

  void prepare(const WorkloadSetup& setup) override {
    tabulating_ = setup.tabulating;
    waits_.draw_freely(free_ && !setup.calibrating);
  }
  Task<Outcome> run(Io& io, const Request& request) override {
    const std::uint64_t seed = request.seed;
    const Nanos wait = tabulating_ ? Nanos(0) : waits_.of(request);
    const std::int64_t slept = co_await io.sleep(wait);
    if (slept < 0) co_return Outcome::failed(slept);
    co_return Outcome::ok(mix64(seed));
  }
  Nanos nominal_service() const override { return mean_; }
  Nanos nominal_draw(std::uint64_t seed) const override { return waits_[seed]; }
  Nanos nominal_cpu() const override { return Nanos(0); }

 private:
  Nanos mean_;
  Draws waits_;
  bool free_;
  bool tabulating_ = false;
};

}  // namespace

WorkloadInfo sleep_workload() {
  return {.name = "sleep",
          .summary = "a downstream wait that needs no CPU",
          .control = false,
          .waits = true,
          .options = {{"wait", "5ms",
                       "mean wait of a request, above 0 and up to 1m; 5ms is a call to a service "
                       "in the same data centre"},
                      {"dist", "fixed", kDistHelp},
                      {"draws", "stratified", kDrawsHelp}},
          .make = [](const Options& options) -> std::unique_ptr<Workload> {
            return std::make_unique<Sleep>(options);
          }};
}

}  // namespace precipice
