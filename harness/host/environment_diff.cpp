// What changed on the machine between the start and the end of a run.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "harness/format.hpp"
#include "harness/host/environment.hpp"
#include "harness/json.hpp"

namespace precipice {
namespace {

double number(const Json& json, double otherwise = std::nan("")) {
  return json.is_number() ? json.get<double>() : otherwise;
}

std::string shown(const Json& json) {
  return json.is_string() ? json.get<std::string>() : json_text(json);
}

class Changes {
 public:
  Changes(const Json& before, const Json& after) : before_(before), after_(after) {}

  /// after - before; NaN where either is missing.
  double growth(std::initializer_list<const char*> keys) const {
    return number(at(after_, keys)) - number(at(before_, keys));
  }
  void setting(const char* name, const char* effect, std::initializer_list<const char*> keys) {
    const Json was = at(before_, keys), is = at(after_, keys);
    // A file that one of two builds of this program did not read is no change of the machine.
    if (was == is || was.is_null() || is.is_null()) return;
    say(fmt::format("{} changed from {} to {}: {}", name, shown(was), shown(is), effect));
  }
  void say(std::string sentence) { list.push_back(std::move(sentence)); }

  std::vector<std::string> list;

 private:
  const Json& before_;
  const Json& after_;
};

}  // namespace

std::vector<std::string> differences(const Json& before, const Json& after) {
  if (!before.is_object() || !after.is_object()) return {};
  Changes c(before, after);
  const double elapsed_s = c.growth({"uptime_s"});

  if (const double n = c.growth({"cgroup", "throttling", "throttled_periods"}); n > 0) {
    c.say(fmt::format(
        "the cgroup's CPU quota throttled this process in {:.0f} periods, for {:.1f} ms in all: "
        "trials that met it are invalid; raise the quota",
        n, c.growth({"cgroup", "throttling", "throttled_us"}) / 1000));
  }
  const Json was_steal = at(before, {"steal_ticks"}), is_steal = at(after, {"steal_ticks"});
  const double cpus = was_steal.is_object() ? static_cast<double>(was_steal.size()) - 1 : 0;
  const double ticks = number(at(is_steal, {"cpu"})) - number(at(was_steal, {"cpu"}));
  const double all_ticks = elapsed_s * cpus * number(at(after, {"ticks_per_s"}));
  if (ticks > 0 && all_ticks > 0 && ticks / all_ticks > 0.001) {
    c.say(
        fmt::format("the host took {:.2f}% of the CPU time for others (steal): saturation is lower "
                    "and tails are longer by an amount that changes",
                    100 * ticks / all_ticks));
  }
  c.setting("the clock source", "time stamps cost differently", {"kernel", "clock_source"});
  c.setting("the frequency governor", "earlier and later blocks ran at different clocks",
            {"cpu", "governor"});
  c.setting("boost", "earlier and later blocks ran at different clocks", {"cpu", "boost"});
  c.setting("the highest frequency in kHz", "earlier and later blocks ran at different clocks",
            {"cpu", "max_khz"});
  c.setting("SMT", "CPUs share their cores differently", {"cpu", "smt"});
  c.setting("the set of online CPUs", "ideals and saturation refer to another machine",
            {"cpu", "online"});
  c.setting("the set of allowed CPUs", "ideals and saturation refer to another machine",
            {"cpu", "allowed"});
  c.setting("the scheduling policy", "threads wait for each other and for others differently",
            {"scheduling", "policy"});
  c.setting("the niceness", "neighbours take another share of a CPU", {"scheduling", "nice"});
  c.setting("the CPU model", "this is another machine: do not pool its blocks", {"cpu", "model"});
  c.setting("the microcode", "mitigations may cost differently", {"cpu", "microcode"});
  c.setting("the kernel", "scheduling and system calls may cost differently",
            {"kernel", "release"});
  c.setting("the kernel's command line", "scheduling and mitigations may differ",
            {"kernel", "relevant_options"});
  const Json was_safe = at(before, {"cpu", "mitigations"}),
             is_safe = at(after, {"cpu", "mitigations"});
  if (was_safe.is_object() && is_safe.is_object() && was_safe != is_safe)
    c.say("the mitigations of CPU flaws changed: system calls and switches cost differently");
  c.setting("the cgroup's CPU limit", "saturation is bounded differently", {"cgroup", "cpu_limit"});
  c.setting("the memory policy for huge pages", "large tables are reached at another speed",
            {"memory", "transparent_hugepages"});
  c.setting("the number of possible threads", "thread_per_request sheds at another load",
            {"threads", "possible"});
  c.setting("the limit of open files", "rpc has another number of connections",
            {"limits", "nofile", "soft"});
  c.setting("the program", "the two parts of this run were made by different builds",
            {"build", "binary_hash"});

  constexpr double kMiB = 1 << 20;
  if (const double freed = c.growth({"memory", "SwapFree_bytes"}); freed < -kMiB) {
    c.say(fmt::format("{:.0f} MiB more are in swap: requests may have waited for the disk",
                      -freed / kMiB));
  }
  for (const auto& [name, what] : {std::pair("memory", "memory"), std::pair("io", "the disk")}) {
    const double waited_s = c.growth({"pressure", name, "some", "total_us"}) * 1e-6;
    if (elapsed_s > 0 && waited_s / elapsed_s > 0.02) {
      c.say(fmt::format("tasks waited for {} during {:.0f}% of the run", what,
                        100 * waited_s / elapsed_s));
    }
  }
  const double runnable = c.growth({"load", "runnable"});
  if (runnable >= 2) {
    c.say(fmt::format(
        "{:.0f} other tasks were runnable at the end, {:.0f} at the start: later blocks "
        "had more competition",
        number(at(after, {"load", "runnable"})), number(at(before, {"load", "runnable"}))));
  }
  const double load_before = number(at(before, {"load", "1m"}));
  const double load_after = number(at(after, {"load", "1m"}));
  if (cpus > 0 && load_before - load_after > cpus) {
    c.say(
        fmt::format("the load average fell from {:.1f} to {:.1f}: earlier blocks had more "
                    "competition",
                    load_before, load_after));
  } else if (cpus > 0 && load_after - load_before > 2 * cpus) {
    c.say(
        fmt::format("the load average rose from {:.1f} to {:.1f}; runnable threads of the models "
                    "count in it",
                    load_before, load_after));
  }
  const double p99_before = number(at(before, {"timer", "wake_up_error_ns", "p99"}));
  const double p99_after = number(at(after, {"timer", "wake_up_error_ns", "p99"}));
  constexpr double kNoticeable = 50'000;
  if (std::abs(p99_after - p99_before) > kNoticeable &&
      (p99_after > 2 * p99_before || p99_before > 2 * p99_after)) {
    c.say(
        fmt::format("sleeps ended {} late at the start and {} at the end (p99): the machine's "
                    "noise changed",
                    short_time(p99_before), short_time(p99_after)));
  }
  return c.list;
}

}  // namespace precipice
