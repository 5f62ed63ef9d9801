// How many threads and descriptors this process has, as the kernel lists them.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <thread>

namespace precipice::testing {

inline std::size_t entries_of(const char* directory) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory)) ++count;
  return count;
}
inline std::size_t threads_now() { return entries_of("/proc/self/task"); }
inline std::size_t descriptors_now() { return entries_of("/proc/self/fd"); }

/// The same when joined threads are gone from the list, which the kernel takes them off only after
/// it has woken who joins them: as soon as there are at most `most`, or after ten seconds.
inline std::size_t threads_fallen_to(std::size_t most) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  std::size_t threads = threads_now();
  while (threads > most && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    threads = threads_now();
  }
  return threads;
}

/// The same where it is not known how many stay: when none has gone for 20 ms.
inline std::size_t threads_settled() {
  std::size_t before = 0, threads = threads_now();
  do {
    before = threads;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    threads = threads_now();
  } while (threads < before);
  return threads;
}

}  // namespace precipice::testing
