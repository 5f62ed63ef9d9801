// In place of postgres.cpp where libpq's header is missing: a workload that no machine can prepare.
#include <cerrno>
#include <string>

#include "workloads/postgres.hpp"
#include "workloads/server_options.hpp"

namespace precipice {
namespace {

constexpr const char* kWhy =
    "the program was built without libpq: apt-get install libpq-dev, and build it again";

class WithoutLibpq final : public Workload {
 public:
  /// A suite's keys are checked as they are elsewhere.
  explicit WithoutLibpq(const Options& options) {
    static_cast<void>(Operations(options, "select", "insert"));
    static_cast<void>(SeedKeys(options, 0));
    static_cast<void>(value_bytes_option(options, "postgres"));
    static_cast<void>(server_option(options, "postgres"));
  }
  void prepare(const WorkloadSetup&) override {
    throw Unavailable(std::string("postgres: ") + kWhy);
  }
  Task<Outcome> run(Io&, const Request&) override { co_return Outcome::failed(ENOSYS); }
  Nanos nominal_service() const override { return Nanos(0); }
  Nanos nominal_cpu() const override { return Nanos(0); }
};

}  // namespace

std::unique_ptr<Workload> make_postgres(const Options& options) {
  return std::make_unique<WithoutLibpq>(options);
}

std::optional<std::string> postgres_left_out() { return kWhy; }

}  // namespace precipice
