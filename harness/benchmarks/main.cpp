// precipice_bench: what every layer of the testbed costs. Takes Google Benchmark's own options
// (--benchmark_filter, --benchmark_format=json, ...). Prints figures; judges nothing.
#include <benchmark/benchmark.h>

#include "harness/benchmarks/registration.hpp"

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  precipice::bench::register_submit();
  precipice::bench::register_policies();
  precipice::bench::register_await();
  precipice::bench::register_recording();
  precipice::bench::register_generator();
  precipice::bench::register_abstraction();
  precipice::bench::register_memory();
  precipice::bench::register_saturation();
  precipice::bench::register_verdict();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
