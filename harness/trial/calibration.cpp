#include "harness/trial/calibration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "harness/host/host_watch.hpp"
#include "harness/trial/instrumented_job.hpp"
#include "harness/trial/interrupt.hpp"
#include "harness/trial/slots.hpp"
#include "models/in_flight_integral.hpp"
#include "models/model.hpp"

namespace precipice {
namespace {

constexpr int kPasses = 3;
constexpr double kPassNs = 100e6;
constexpr std::size_t kFewest = 40, kMost = 2000;

/// Spread over all seeds, so that few of them still cover the draws.
std::uint32_t seed_of(std::size_t index, std::size_t count) {
  return static_cast<std::uint32_t>(index * kTabulatedSeeds / count);
}

/// Of all values; sorts them.
double nearest_rank(std::vector<double>& values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size()))) -
                1];
}

}  // namespace

Calibration calibrate_service(Workload& workload, const std::atomic<bool>* stop) {
  const double nominal = std::max(1e4, static_cast<double>(workload.nominal_service().count()));
  const std::size_t count = std::clamp(static_cast<std::size_t>(kPassNs / nominal), kFewest, kMost);
  Slots slots(count * kPasses);
  InFlightIntegral in_flight;
  InstrumentedJob observed(workload, slots, in_flight);
  const ModelInfo& info = model_named("inline");
  const auto model = info.make(Options(info.name, info.options, {}));
  model->start(
      {CpuSet::of_this_thread(), observed.job(), workload.files(), workload.block_bytes(), stop});
  Calibration calibration;
  calibration.speed_ns = probe_speed_ns();
  const auto stopped = [stop] { return stop != nullptr && stop->load(); };
  for (std::size_t id = 0; id < slots.size() && !stopped(); ++id) {
    model->submit({.id = id, .seed = seed_of(id % count, count), .intended = Io::now()});
  }
  model->shutdown(Io::now());
  if (stopped()) throw Interrupted("interrupted: the calibration under way was not kept");

  std::vector<double> took;
  double measured = 0, drawn = 0;
  for (std::size_t index = 0; index < count; ++index) {
    double pass[kPasses];
    for (std::size_t i = 0; i < kPasses; ++i) {
      const Slot& slot = slots[i * count + index];
      if (slot.end != End::completed) {
        throw Unavailable(
            fmt::format("the workload fails even without load: {}", std::strerror(slot.error)));
      }
      pass[i] = static_cast<double>(slot.completion_ns - slot.begin_ns);
    }
    std::sort(pass, pass + kPasses);
    took.push_back(pass[kPasses / 2]);
    measured += took.back();
    drawn += static_cast<double>(workload.nominal_draw(seed_of(index, count)).count());
  }
  calibration.mean_ns = measured / static_cast<double>(count);
  calibration.p99_ns = nearest_rank(took, 0.99);
  if (drawn > 0) {
    // A sample of seeds misses the mean and the tail of the draws; the ratio of measured to drawn
    // misses neither.
    const double ratio = measured / drawn;
    calibration.mean_ns = ratio * static_cast<double>(workload.nominal_service().count());
    std::vector<double> draws;
    for (std::uint64_t seed = 0; seed < kTabulatedSeeds; ++seed) {
      draws.push_back(ratio * static_cast<double>(workload.nominal_draw(seed).count()));
    }
    const double drawn_p99 = nearest_rank(draws, 0.99);
    if (draws.front() < draws.back()) calibration.p99_ns = drawn_p99;
  }
  calibration.valid = true;
  return calibration;
}

}  // namespace precipice
