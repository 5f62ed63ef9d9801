// Does nothing: what remains is the model's own cost.
#include <memory>

#include "models/random.hpp"
#include "workloads/workload.hpp"

namespace precipice {
namespace {

class Empty final : public Workload {
 public:
  void prepare(const WorkloadSetup&) override {}
  Task<Outcome> run(Io&, const Request& request) override {
    co_return Outcome::ok(mix64(request.seed));
  }
  Nanos nominal_service() const override { return Nanos(0); }
  Nanos nominal_cpu() const override { return Nanos(0); }
};

}  // namespace

WorkloadInfo empty_workload() {
  return {.name = "empty",
          .summary = "does nothing: shows what the model itself costs",
          .control = true,
          .waits = false,
          .options = {},
          .make = [](const Options&) -> std::unique_ptr<Workload> {
            return std::make_unique<Empty>();
          }};
}

}  // namespace precipice
