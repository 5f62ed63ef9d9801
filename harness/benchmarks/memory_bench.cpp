// What one waiting request takes: a million of them at once in `sleep`, resident memory of the
// process before and after. Measured in a child process, so that memory which earlier work left
// behind hides nothing.
#include <benchmark/benchmark.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <string>
#include <thread>

#include "harness/benchmarks/registration.hpp"
#include "harness/benchmarks/support.hpp"
#include "harness/trial/arrivals.hpp"
#include "harness/trial/generator.hpp"
#include "harness/trial/instrumented_job.hpp"
#include "models/options.hpp"
#include "workloads/workload.hpp"

namespace precipice::bench {
namespace {

constexpr double kRequests = 1'000'000;
constexpr double kRate = 300'000;

struct Growth {
  double waiting = 0;        ///< requests that waited at once
  double records_bytes = 0;  ///< slots and schedule
  double model_bytes = 0;    ///< everything else
  double after_bytes = 0;    ///< of model_bytes, what is still resident when all have ended
  double cancel_seconds = 0;
};

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double waiting_in(const Model& model) {
  for (const auto& [name, value] : model.stats()) {
    if (name == "waiting" || name == "sleepers") return value;
  }
  return 0;
}

Growth measure(const std::string& spec) {
  malloc_trim(0);
  const WorkloadInfo& info = workload_named("sleep");
  const auto workload = info.make(Options(info.name, info.options, {{"wait", "60s"}}));
  workload->prepare({});
  const auto model = make_model(spec + ":in_flight_limit=2000000");
  Growth growth;
  const double before = resident_bytes();
  auto intended = Arrivals::parse("fixed").schedule(
      kRate, static_cast<std::int64_t>(1e9 * kRequests / kRate), 1);
  Slots slots(intended.size());
  growth.records_bytes = resident_bytes() - before;
  InFlightIntegral in_flight;
  InstrumentedJob observed(*workload, slots, in_flight);
  model->start({cpus().model, observed.job(), {}, 4096});
  const Time epoch = Io::now();
  observed.set_epoch(epoch);
  offer(*model, intended, 1, epoch, slots, in_flight, {});
  const Time patience = Io::now() + std::chrono::seconds(20);
  while (waiting_in(*model) < static_cast<double>(intended.size()) && Io::now() < patience) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  growth.waiting = waiting_in(*model);
  growth.model_bytes = resident_bytes() - before - growth.records_bytes;
  const Time cancelling = Io::now();
  model->shutdown(cancelling);
  growth.cancel_seconds = std::chrono::duration<double>(Io::now() - cancelling).count();
  growth.after_bytes = resident_bytes() - before - growth.records_bytes;
  return growth;
}

bool measure_in_child(const std::string& spec, Growth& growth) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) return false;
  const pid_t child = fork();
  if (child < 0) return false;
  if (child == 0) {
    bool told = false;
    try {
      const Growth measured = measure(spec);
      told = write(ends[1], &measured, sizeof measured) == sizeof measured;
    } catch (const std::exception& error) {
      std::fprintf(stderr, "precipice_bench: %s\n", error.what());
    }
    _exit(told ? 0 : 1);
  }
  close(ends[1]);
  const bool heard = read(ends[0], &growth, sizeof growth) == sizeof growth;
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return heard;
}

void waiting(benchmark::State& state, const std::string& spec) {
  const OnDriverCpu pinned;
  for (auto _ : state) {
    Growth growth;
    if (!measure_in_child(spec, growth) || growth.waiting == 0) {
      state.SkipWithError("the child process could not measure");
      return;
    }
    state.counters["waiting"] = growth.waiting;
    state.counters["model_bytes_each"] = growth.model_bytes / growth.waiting;
    state.counters["records_bytes_each"] = growth.records_bytes / growth.waiting;
    state.counters["bytes_each"] = (growth.model_bytes + growth.records_bytes) / growth.waiting;
    state.counters["bytes_each_after"] = growth.after_bytes / growth.waiting;
    state.counters["cancel_seconds"] = growth.cancel_seconds;
  }
}

}  // namespace

void register_memory() {
  for (const std::string& spec : compared_models()) {
    if (spec != "event_loop" && spec != "io_uring") continue;
    benchmark::RegisterBenchmark(("Memory/waiting/" + spec).c_str(), waiting, spec)
        ->Unit(benchmark::kSecond)
        ->UseRealTime()
        ->Iterations(1);
  }
}

}  // namespace precipice::bench
