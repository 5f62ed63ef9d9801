// The analytic queue in real time: what must hold however late the machine's timers are.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <vector>

#include "models/model.hpp"
#include "models/oracle.hpp"

namespace precipice {
namespace {

/// Stamps completions; one slot a request.
struct Log {
  struct Entry {
    std::atomic<std::int64_t> completed_ns{-1};
    std::atomic<int> ends{0};
    std::atomic<bool> refused{false};
  };
  explicit Log(std::size_t size) : entries(size) {}
  std::vector<Entry> entries;

  Job job() {
    return {.run = &Log::run,
            .refuse =
                [](void* context, const Request& request, Refusal) noexcept {
                  Entry& entry = static_cast<Log*>(context)->entries[request.id];
                  entry.refused = true;
                  ++entry.ends;
                },
            .context = this};
  }
  static Task<void> run(void* context, Io&, Request request) {
    Entry& entry = static_cast<Log*>(context)->entries[request.id];
    entry.completed_ns = (Io::now() - request.intended).count();
    ++entry.ends;
    co_return;
  }
};

std::unique_ptr<Model> start(const std::map<std::string, std::string>& keys, Log& log) {
  auto model = oracle_model().make(Options("oracle", oracle_keys(), keys));
  model->start(
      {.cpus = CpuSet::of_this_thread(), .job = log.job(), .files = {}, .block_bytes = 4096});
  return model;
}

double stat(const Model& model, std::string_view name) {
  for (const auto& [key, value] : model.stats()) {
    if (key == name) return value;
  }
  return -1;
}

TEST(RealOracle, EndsNoRequestBeforeItsTurn) {
  Log log(50);
  auto model = start({{"mean", "1ms"}}, log);
  const Time origin = Io::now();
  for (std::uint64_t id = 0; id < 50; ++id) {
    EXPECT_EQ(model->submit({.id = id, .seed = static_cast<std::uint32_t>(id), .intended = origin}),
              Refusal::none);
  }
  model->shutdown(Io::now() + std::chrono::seconds(20));
  for (std::size_t id = 0; id < 50; ++id) {
    EXPECT_EQ(log.entries[id].ends, 1);
    EXPECT_FALSE(log.entries[id].refused);
    EXPECT_GE(log.entries[id].completed_ns, static_cast<std::int64_t>(id + 1) * 1'000'000);
  }
  EXPECT_EQ(model->in_flight(), 0U);
  EXPECT_GE(stat(*model, "late_max_ns"), stat(*model, "late_p99_ns"));
  EXPECT_GE(stat(*model, "late_p99_ns"), 0);
}

TEST(RealOracle, StallsAllServersFromTheStartOfTheWindow) {
  Log log(2);
  auto model = start({{"mean", "1ms"},
                      {"servers", "2"},
                      {"window_offset", "3ms"},
                      {"stall_at", "0ms"},
                      {"stall_for", "80ms"}},
                     log);
  const Time origin = Io::now();
  model->submit({.id = 0, .seed = 1, .intended = origin});
  // Submitted inside the stall, or later on a slow machine: then it just takes its own time.
  while (Io::now() < origin + std::chrono::milliseconds(5)) {
  }
  model->submit({.id = 1, .seed = 2, .intended = origin});
  model->shutdown(Io::now() + std::chrono::seconds(20));
  EXPECT_GE(log.entries[0].completed_ns, 1'000'000);
  EXPECT_GE(log.entries[1].completed_ns, 84'000'000);
}

TEST(RealOracle, ShedsBeyondItsCapacity) {
  Log log(4);
  auto model = start({{"mean", "1h"}, {"queue", "2"}}, log);
  const Time origin = Io::now();
  EXPECT_EQ(model->submit({.id = 0, .seed = 1, .intended = origin}), Refusal::none);
  EXPECT_EQ(model->submit({.id = 1, .seed = 1, .intended = origin}), Refusal::none);
  EXPECT_EQ(model->submit({.id = 2, .seed = 1, .intended = origin}), Refusal::limit);
  EXPECT_EQ(model->in_flight(), 2U);
  model->shutdown(Io::now());
  // What had not begun by the deadline is refused, once.
  for (std::size_t id = 0; id < 2; ++id) {
    EXPECT_EQ(log.entries[id].ends, 1);
    EXPECT_TRUE(log.entries[id].refused);
  }
  EXPECT_EQ(log.entries[2].ends, 0);
  EXPECT_EQ(model->submit({.id = 3, .seed = 1, .intended = origin}), Refusal::shutdown);
}

}  // namespace
}  // namespace precipice
