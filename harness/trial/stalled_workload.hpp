// A stall of what requests depend on: the trigger of a trial of a model that executes.
#pragma once

#include <netinet/in.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "workloads/workload.hpp"

namespace precipice {

/// A workload whose requests stand still before they begin their work, from a moment on and for a
/// time: as if the lock, the disk or the service that all of them need first did not answer. Each
/// waits in its model's own way. Requests in the middle of their work are not held up.
class StalledWorkload final : public Workload {
 public:
  /// `inner` outlives it.
  explicit StalledWorkload(Workload& inner) : inner_(inner) {}

  /// Before the first request.
  void set_stall(Time from, Time to) {
    from_ = from;
    to_ = to;
  }

  Task<Outcome> run(Io& io, const Request& request) override;
  Task<void> run_many(Io& io, std::span<const Request> requests,
                      std::span<Outcome> outcomes) override;

  Downstream downstream() const override { return inner_.downstream(); }
  std::optional<sockaddr_in> server() const override { return inner_.server(); }
  void prepare(const WorkloadSetup& setup) override { inner_.prepare(setup); }
  std::vector<int> files() const override { return inner_.files(); }
  std::size_t block_bytes() const override { return inner_.block_bytes(); }
  Nanos nominal_service() const override { return inner_.nominal_service(); }
  Nanos nominal_draw(std::uint64_t seed) const override { return inner_.nominal_draw(seed); }
  Nanos nominal_cpu() const override { return inner_.nominal_cpu(); }
  void finish() override { inner_.finish(); }
  std::string note() const override { return inner_.note(); }

 private:
  /// Yields 0 or -ECANCELED.
  Task<std::int64_t> pass(Io& io) const;

  Workload& inner_;
  Time from_{}, to_{};
};

}  // namespace precipice
