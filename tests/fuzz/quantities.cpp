// Everything small that a user writes: durations, sizes, numbers, rates, SLOs, CPU sets,
// distributions, arrival processes. Each input is given to all of them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/trial/arrivals.hpp"
#include "harness/trial/spec.hpp"
#include "models/cpu_set.hpp"
#include "models/distribution.hpp"
#include "tests/fuzz/property.hpp"
#include "workloads/draws.hpp"

namespace precipice::fuzz {
namespace {

void durations(std::string_view text) {
  const auto duration = accepted([&] { return parse_duration(text, "fuzz"); });
  if (!duration) return;
  require(duration->count() >= 0, "a duration is not negative", text);
  const std::string exact = exact_duration(*duration);
  require(again("an exact duration parses", exact, [&] { return parse_duration(exact, "fuzz"); }) ==
              *duration,
          "a duration parses to itself", exact);
  const std::string rounded = format_duration(*duration);
  const auto off = static_cast<double>((again("a rounded duration parses", rounded,
                                              [&] { return parse_duration(rounded, "fuzz"); }) -
                                        *duration)
                                           .count());
  require(std::abs(off) <= 1e-3 * static_cast<double>(duration->count()) + 1,
          "a rounded duration is near", rounded);
}

void numbers(std::string_view text) {
  if (const auto bytes = accepted([&] { return parse_bytes(text, "fuzz"); })) {
    require(parse_bytes(std::to_string(*bytes), "fuzz") == *bytes, "a size parses to itself", text);
  }
  if (const auto number = accepted([&] { return parse_number(text, "fuzz"); })) {
    require(std::isfinite(*number), "a number is finite", text);
    require(parse_number(fmt::format("{}", *number), "fuzz") == *number,
            "a number parses to itself", text);
  }
  if (const auto rate = accepted([&] { return parse_rate(text, "fuzz"); })) {
    require(*rate > 0 && *rate <= kHighestRatePerS, "a rate is in its range", text);
    require(parse_rate(fmt::format("{}", *rate), "fuzz") == *rate, "a rate parses to itself", text);
    std::int64_t previous = 0;
    for (const std::int64_t at : Arrivals::parse("poisson").schedule(*rate, 1'000'000, 7)) {
      require(at >= previous && at < 1'000'000, "arrivals ascend inside the span", text);
      previous = at;
    }
  }
}

void slos(std::string_view text) {
  const auto slo = accepted([&] { return parse_slo(text); });
  if (!slo) return;
  require((slo->times_service > 0) != (slo->bound > Nanos::zero()), "an SLO has one bound", text);
  require(std::isfinite(slo->times_service), "an SLO's multiple is finite", text);
  require(slo->percentile > 0 && slo->percentile < 100, "a percentile is one", text);
  const std::string printed = to_string(*slo);
  const Slo same = again("an SLO prints what parses", printed, [&] { return parse_slo(printed); });
  require(same.percentile == slo->percentile && same.times_service == slo->times_service &&
              same.bound == slo->bound && to_string(same) == printed,
          "an SLO parses to itself", printed);
  // The largest service time there is: the bound in nanoseconds still has to be one.
  require(slo->times_service * 60e9 < 9e18, "an SLO's bound fits 64 bits", text);
}

void cpu_sets(std::string_view text) {
  const auto cpus = accepted([&] { return CpuSet::parse(text); });
  if (!cpus) return;
  require(!cpus->empty() && std::is_sorted(cpus->list().begin(), cpus->list().end()), "CPUs ascend",
          text);
  const std::string printed = cpus->to_string();
  require(again("a CPU set prints what parses", printed,
                [&] {
                  return CpuSet::parse(printed);
                }).list() == cpus->list(),
          "a CPU set parses to itself", printed);
}

void distributions(std::string_view text) {
  const auto shape = accepted([&] { return Distribution::parse(text, "fuzz"); });
  if (!shape) return;
  const std::string& printed = shape->to_string();
  const Distribution same = again("a distribution prints what parses", printed,
                                  [&] { return Distribution::parse(printed, "fuzz"); });
  require(same.to_string() == printed && same.scv() == shape->scv(),
          "a distribution parses to itself", printed);
  require(shape->scv() >= -1e-9, "a variance is not negative", printed);
  double previous = 0;
  for (const double p : {1e-4, 0.1, 0.5, 0.9, 0.9999}) {
    const double value = shape->quantile(p);
    require(std::isfinite(value) && value >= previous, "quantiles ascend and are finite", printed);
    previous = value;
  }
  Random random(1);
  for (int i = 0; i < 16; ++i) {
    const double value = shape->unit(random);
    require(std::isfinite(value) && value >= 0, "a draw is finite and not negative", printed);
  }
  const auto draws = accepted([&] { return Draws(*shape, std::chrono::minutes(1), 1); });
  if (!draws) return;
  double sum = 0;
  for (std::uint64_t seed = 0; seed < kTabulatedSeeds; ++seed) {
    const double ns = draws->ns(seed);
    require(ns >= 0 && ns < 9e18, "a drawn time fits 64 bits", printed);
    sum += ns;
  }
  require(std::abs(sum / (60e9 * static_cast<double>(kTabulatedSeeds)) - 1) < 1e-6,
          "draws have the mean that was named", printed);
}

void arrivals(std::string_view text) {
  const auto process = accepted([&] { return Arrivals::parse(text); });
  if (!process) return;
  const std::string printed = process->to_string();
  require(again("arrivals print what parses", printed,
                [&] {
                  return Arrivals::parse(printed);
                }).to_string() == printed,
          "arrivals parse to themselves", printed);
  constexpr std::int64_t kSpan = 10'000'000;
  for (const double rate : {1e-300, 10.0}) {
    std::int64_t previous = 0;
    const auto times = accepted([&] { return process->schedule(rate, kSpan, 3); });
    if (!times) continue;
    for (const std::int64_t at : *times) {
      require(at >= previous && at < kSpan, "arrivals ascend inside the span", printed);
      previous = at;
    }
  }
}

}  // namespace
}  // namespace precipice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace precipice::fuzz;
  const std::string_view text = text_of(data, size);
  durations(text);
  numbers(text);
  slos(text);
  cpu_sets(text);
  distributions(text);
  arrivals(text);
  return 0;
}
