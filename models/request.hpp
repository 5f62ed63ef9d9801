// What a model is asked to execute, and how a request can end. Plain data: a queue of requests
// costs no coroutine frames.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace precipice {

/// The one clock of a trial: CLOCK_MONOTONIC, nanoseconds.
using Clock = std::chrono::steady_clock;
using Nanos = std::chrono::nanoseconds;
using Time = std::chrono::time_point<Clock, Nanos>;
inline double seconds(Nanos duration) { return std::chrono::duration<double>(duration).count(); }
/// Now, on the one clock.
inline std::int64_t monotonic_ns() { return Clock::now().time_since_epoch().count(); }

/// One unit of offered work. `id` is dense from 0 within a trial; `seed` decides everything that
/// the workload draws for this request; `intended` is when the schedule says that it arrives.
/// `attempt` counts how often a policy has handed the same request to a model, 0 for the first time
/// (and without a policy); a further attempt meets another loop and draws its waits anew.
/// `priority` is the number of its class, 0 for the first. `replica` is the number, from 1, of the
/// one that a policy has chosen for this attempt; 0: none was chosen.
struct Request {
  std::uint64_t id = 0;
  std::uint32_t seed = 0;
  std::uint16_t attempt = 0;
  std::uint8_t priority = 0;
  std::uint8_t replica = 0;
  Time intended{};
};
static_assert(sizeof(Request) == 24, "queues of a million requests are made of these");

/// Why a request was not executed. `none` means that it was accepted.
enum class Refusal : std::uint8_t {
  none,
  limit,        ///< the model's in-flight limit or queue is full
  threads,      ///< the kernel refused another thread (EAGAIN)
  memory,       ///< no memory for the frame, the stack or the engine's own structure
  descriptors,  ///< EMFILE, ENFILE or ENOBUFS
  deadline,     ///< older than the model's `deadline` before execution began
  shutdown,     ///< the model stopped before the request began
  engine,       ///< the engine underneath refused for another reason
  policy,       ///< a policy before the model: a limit, a throttle, a queue that drops
};
inline constexpr int kRefusalKinds = 9;

constexpr std::string_view to_string(Refusal refusal) {
  constexpr std::string_view names[] = {"none",     "limit",    "threads", "memory", "descriptors",
                                        "deadline", "shutdown", "engine",  "policy"};
  return names[static_cast<int>(refusal)];
}

/// What a workload returns for one request: a digest that folds in every byte it read, or an error.
struct Outcome {
  std::uint64_t digest = 0;
  int error = 0;  ///< 0, an errno value (positive), or kNeedless

  /// An attempt that ended before it executed anything, since another one of its request had begun.
  static constexpr int kNeedless = -1;

  static constexpr Outcome ok(std::uint64_t digest) { return {digest, 0}; }
  /// `error` as an errno value of either sign.
  static constexpr Outcome failed(std::int64_t error) {
    return {0, static_cast<int>(error < 0 ? -error : error)};
  }
  static constexpr Outcome needless() { return {0, kNeedless}; }
  constexpr bool succeeded() const { return error == 0; }
};

}  // namespace precipice
