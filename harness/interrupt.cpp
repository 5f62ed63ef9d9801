#include "harness/interrupt.hpp"

#include <unistd.h>

#include <csignal>

namespace precipice {
namespace {

std::atomic<int> signals{0};
std::atomic<bool> now{false};
std::atomic<bool> first_is_enough{false};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

void handle(int) {
  const int nth = signals.fetch_add(1) + 1;
  if (nth >= 2 || first_is_enough.load()) now.store(true);
  if (nth >= 3) _exit(130);
}

}  // namespace

void watch_signals(bool at_once) {
  first_is_enough.store(at_once);
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

bool stop_wanted() { return signals.load() > 0; }
const std::atomic<bool>& stop_now() { return now; }

}  // namespace precipice
