#include "models/pinned_thread.hpp"

#include <exception>
#include <future>
#include <utility>

#include "models/new_thread.hpp"

namespace precipice {

void start_thread(std::vector<std::thread>& threads, const std::string& name, const CpuSet& cpus,
                  std::function<void()> body) {
  threads.reserve(threads.size() + 1);  // so that nothing throws once the thread runs
  std::promise<void> pinned;
  std::future<void> ready = pinned.get_future();
  std::thread thread = new_thread("the thread " + name, [&name, &cpus, told = std::move(pinned),
                                                         run = std::move(body)]() mutable {
    try {
      name_this_thread(name);
      pin_this_thread(cpus);
      remove_timer_slack();
    } catch (...) {
      told.set_exception(std::current_exception());
      return;
    }
    told.set_value();
    run();
  });
  try {
    ready.get();
  } catch (...) {
    thread.join();
    throw;
  }
  threads.push_back(std::move(thread));
}

}  // namespace precipice
