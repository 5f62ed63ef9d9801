#include "harness/trial/expected_digests.hpp"

#include <fmt/format.h>

#include <cstring>

#include "models/blocking_io.hpp"
#include "models/job.hpp"

namespace precipice {
namespace {

struct Tabulation {
  Workload& workload;
  Outcome outcome;

  static Task<void> run(void* self, Io& io, Request request) {
    auto& tabulation = *static_cast<Tabulation*>(self);
    tabulation.outcome = co_await tabulation.workload.run(io, request);
  }
  static void refuse(void* self, const Request&, Refusal) noexcept {
    static_cast<Tabulation*>(self)->outcome = Outcome::failed(ENOMEM);
  }
};

}  // namespace

std::vector<std::uint64_t> tabulate_digests(Workload& workload,
                                            const std::function<void()>& may_give_up) {
  BlockingIo io;
  Tabulation tabulation{workload, {}};
  const Job job{&Tabulation::run, &Tabulation::refuse, &tabulation};
  std::vector<std::uint64_t> digests(kTabulatedSeeds);
  for (std::uint64_t seed = 0; seed < kTabulatedSeeds; ++seed) {
    if (may_give_up) may_give_up();
    tabulation.outcome = Outcome::failed(ENOTRECOVERABLE);
    execute(
        job, io, {.id = seed, .seed = static_cast<std::uint32_t>(seed), .intended = Io::now()},
        [](void*) {}, nullptr);
    if (!tabulation.outcome.succeeded()) {
      throw Unavailable(fmt::format("the workload fails even without load (seed {}): {}", seed,
                                    std::strerror(tabulation.outcome.error)));
    }
    digests[seed] = tabulation.outcome.digest;
  }
  return digests;
}

}  // namespace precipice
