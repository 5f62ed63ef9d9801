#include "harness/trial/memory_need.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "harness/trial/slots.hpp"

namespace precipice {
namespace {

// Slots, schedule and the samples of the summary; and the request itself where it queues.
constexpr std::uint64_t kBytesEach = sizeof(Slot) + sizeof(Sent) + 8 + 6 * 16 + sizeof(Request);
// What a waiting request may cost an asynchronous model: a requirement of docs/harness_costs.md.
constexpr std::uint64_t kBytesWaiting = 1536;
// A thread's pages, of 4 KiB: four of kernel stack and three for its own record and tables, and of
// its own stack, which is touched at both ends, three.
constexpr std::uint64_t kBytesOfThread = 10 * 4096;
// Of a client: its record, and a socket with its buffers in the kernel.
constexpr std::uint64_t kBytesOfConnection = 8192;

double under_way_at_once(const TrialRequest& request, std::uint64_t requests, Nanos service) {
  if (request.closed > 0) return static_cast<double>(request.closed);
  const double service_s = std::chrono::duration<double>(service).count();
  return std::min(static_cast<double>(requests), std::ceil(request.rate_per_s * service_s));
}

}  // namespace

std::uint64_t memory_need(const TrialRequest& request, std::uint64_t requests, Nanos service) {
  if (request.target != nullptr)
    return requests * kBytesEach + request.target->connections * kBytesOfConnection;
  const auto waiting = static_cast<std::uint64_t>(under_way_at_once(request, requests, service));
  const ModelInfo& info = model_named(request.model.name);
  std::uint64_t of_model = 0;
  if (info.name == "thread_per_request") {
    of_model = waiting * kBytesOfThread;
  } else if (info.name == "fixed_pool") {
    const Options options(info.name, info.options, request.model.given);
    of_model = options.count("threads", 1, 100'000) * kBytesOfThread;
  } else if (!info.control) {
    of_model = waiting * kBytesWaiting;
  }
  return requests * kBytesEach + of_model;
}

void require_memory(std::uint64_t bytes, const std::string& what, const std::string& cure,
                    const MemoryLimitSources& sources) {
  const std::vector<MemoryLimit> limits = memory_limits(sources);
  if (limits.empty()) return;
  const MemoryLimit& least = limits.front();
  if (bytes <= least.room() / 5 * 4) return;
  throw Unavailable(fmt::format("{} need {} MiB, and {} MiB are free, since {} ({}): {}", what,
                                bytes >> 20, least.room() >> 20, least.text, least.cure, cure));
}

}  // namespace precipice
