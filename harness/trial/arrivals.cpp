#include "harness/trial/arrivals.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "harness/trial/limits.hpp"
#include "harness/trial/trace_file.hpp"
#include "models/did_you_mean.hpp"
#include "models/options.hpp"
#include "models/random.hpp"
#include "workloads/workload.hpp"

namespace precipice {
namespace {

constexpr std::string_view kProcesses =
    "poisson, fixed, uniform, bursts(on,off), trace(FILE); for example bursts(10ms,90ms)";

/// The arrival times of a process of independent gaps, at unit rate, as far as they were needed.
/// Models replay each other's sequences, and repetitions their own, so the last one of each thread
/// is kept: its logarithms cost more than a simulated queue.
class UnitSequence {
 public:
  enum class Gaps { exponential, uniform };

  /// Ends with the first time whose `place` answers false.
  template <class Place>
  static void replay(Gaps gaps, std::uint64_t seed, Place place) {
    thread_local UnitSequence last(gaps, seed);
    if (last.gaps_ != gaps || last.seed_ != seed) last = UnitSequence(gaps, seed, std::move(last));
    std::size_t at = 0;
    for (;; ++at) {
      if (at == last.times_.size()) {
        if (at == kMostKept) break;
        last.times_.push_back(last.next_);
        last.advance();
      }
      if (!place(last.times_[at])) return;
    }
    UnitSequence rest = last.beyond();
    while (place(rest.next_)) rest.advance();
  }

 private:
  static constexpr std::size_t kMostKept = 1U << 22;

  UnitSequence(Gaps gaps, std::uint64_t seed) : gaps_(gaps), seed_(seed), random_(seed) {}
  /// Takes over the memory of `before`.
  UnitSequence(Gaps gaps, std::uint64_t seed, UnitSequence&& before) : UnitSequence(gaps, seed) {
    times_ = std::move(before.times_);
    times_.clear();
  }
  void advance() {
    next_ +=
        gaps_ == Gaps::exponential ? -std::log(random_.uniform_positive()) : 2 * random_.uniform();
  }
  /// Where it stands, without what it has kept.
  UnitSequence beyond() const {
    UnitSequence rest(gaps_, seed_);
    rest.random_ = random_;
    rest.next_ = next_;
    return rest;
  }

  Gaps gaps_;
  std::uint64_t seed_;
  Random random_;
  double next_ = 0;
  std::vector<double> times_;
};

}  // namespace

Arrivals Arrivals::parse(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return UsageError(
        fmt::format("arrivals '{}': {}; the processes are {}", text, why, kProcesses));
  };
  Arrivals result;
  result.text_ = text;
  const std::size_t open = text.find('(');
  const std::string_view name = text.substr(0, open);
  std::string_view inside;
  if (open != std::string_view::npos) {
    if (text.back() != ')') throw wrong("lacks its closing parenthesis");
    inside = text.substr(open + 1, text.size() - open - 2);
  }
  const bool bare = open == std::string_view::npos;
  if (name == "poisson" && bare) {
    result.process_ = Process::poisson;
  } else if (name == "fixed" && bare) {
    result.process_ = Process::fixed;
  } else if (name == "uniform" && bare) {
    result.process_ = Process::uniform;
  } else if (name == "bursts" && !bare) {
    const std::size_t comma = inside.find(',');
    if (comma == std::string_view::npos) throw wrong("needs two durations");
    const auto trim = [](std::string_view part) {
      while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
      while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
      return part;
    };
    result.process_ = Process::bursts;
    result.on_ns_ = parse_duration(trim(inside.substr(0, comma)), "arrivals: bursts on").count();
    result.off_ns_ = parse_duration(trim(inside.substr(comma + 1)), "arrivals: bursts off").count();
    if (result.on_ns_ <= 0) throw wrong("needs an on time above 0");
    const std::int64_t longest = kLongestWindow.count();
    if (result.on_ns_ > longest || result.off_ns_ > longest - result.on_ns_)
      throw wrong("takes at most 1h for on and off together, which is the longest window");
  } else if (name == "trace" && !bare) {
    result.process_ = Process::trace;
    result.trace_ = read_trace(std::string(inside));
  } else {
    throw wrong("is not an arrival process" +
                did_you_mean(name, {"poisson", "fixed", "uniform", "bursts", "trace"}));
  }
  return result;
}

std::string Arrivals::trace_file() const {
  if (process_ != Process::trace) return "";
  const std::size_t begin = text_.find('(') + 1;
  return text_.substr(begin, text_.size() - 1 - begin);
}

Arrivals Arrivals::with_trace_file(const std::string& name) const {
  Arrivals result = *this;
  if (process_ == Process::trace) result.text_ = fmt::format("trace({})", name);
  return result;
}

std::string Arrivals::identity() const {
  if (process_ != Process::trace) return text_;
  std::uint64_t hash = trace_.size();
  for (const double time : trace_) hash = mix64(hash ^ std::bit_cast<std::uint64_t>(time));
  return fmt::format("trace of {} times, {:016x}", trace_.size(), hash);
}

std::vector<std::int64_t> Arrivals::schedule(double rate_per_s, std::int64_t span_ns,
                                             std::uint64_t seed) const {
  if (!(rate_per_s > 0) || !std::isfinite(rate_per_s)) {
    throw UsageError(
        fmt::format("a rate of {} per second cannot be scheduled; give one above 0", rate_per_s));
  }
  // A burst holds the requests of its whole cycle, however short the span is.
  const double cycle_ns = process_ == Process::bursts ? static_cast<double>(on_ns_ + off_ns_) : 0;
  const double expected = rate_per_s * std::max(static_cast<double>(span_ns), cycle_ns) * 1e-9;
  if (expected > static_cast<double>(kMaxRequests)) {
    if (cycle_ns > static_cast<double>(span_ns)) {
      throw UsageError(
          fmt::format("{:.6g} requests/s are {:.3g} requests in a cycle of {}, and one trial keeps "
                      "at most {}; lower the rate, or shorten on and off",
                      rate_per_s, expected, text_, kMaxRequests));
    }
    throw UsageError(
        fmt::format("{:.6g} requests/s for {:.3g} s are {:.3g} requests, and one trial keeps at "
                    "most {}; lower the rate or the seconds",
                    rate_per_s, static_cast<double>(span_ns) * 1e-9, expected, kMaxRequests));
  }
  std::vector<std::int64_t> times;
  times.reserve(static_cast<std::size_t>(expected + 6 * std::sqrt(expected) + 16));
  const double gap_ns = 1e9 / rate_per_s;
  // Every process begins with an arrival at 0, so that a model can tell the trial's epoch from its
  // first request; `place` answers false past the end of the span.
  const auto place = [&](double ns) {
    // Past the end before it is rounded: a slow rate's next arrival fits no 64 bits.
    if (!(ns < static_cast<double>(span_ns))) return false;
    // Rounded half up, as llround does for what is not negative, without its call.
    auto at = static_cast<std::int64_t>(ns);
    at += static_cast<std::int64_t>(ns - static_cast<double>(at) >= 0.5);
    if (at >= span_ns) return false;
    times.push_back(at);
    return true;
  };

  switch (process_) {
    case Process::poisson:
      UnitSequence::replay(UnitSequence::Gaps::exponential, seed,
                           [&](double unit) { return place(unit * gap_ns); });
      break;
    case Process::fixed:
      for (double k = 0; place(k * 1e9 / rate_per_s);) k += 1;
      break;
    case Process::uniform:
      UnitSequence::replay(UnitSequence::Gaps::uniform, seed,
                           [&](double unit) { return place(unit * gap_ns); });
      break;
    case Process::bursts: {
      Random random(seed);
      const auto on = static_cast<double>(on_ns_);
      const double cycle = on + static_cast<double>(off_ns_);
      const auto wall = [&](double unit) {
        const double busy = unit * gap_ns * on / cycle;  // time counted during bursts only
        const double bursts = std::floor(busy / on);
        return bursts * cycle + (busy - bursts * on);
      };
      for (double unit = 0; place(wall(unit));) unit -= std::log(random.uniform_positive());
      break;
    }
    case Process::trace: {
      // A trial longer than the trace repeats it, one mean gap after its end.
      const auto length = static_cast<double>(trace_.size());
      std::size_t at = 0;
      double base = 0;
      while (place((base + trace_[at]) * gap_ns)) {
        if (++at == trace_.size()) {
          at = 0;
          base += length;
        }
      }
      break;
    }
  }
  return times;
}

std::chrono::nanoseconds Arrivals::burst_cycle() const {
  return std::chrono::nanoseconds(off_ns_ > 0 ? on_ns_ + off_ns_ : 0);
}

std::chrono::nanoseconds Arrivals::cycle(double rate_per_s) const {
  if (process_ != Process::trace) return burst_cycle();
  const double ns = std::ceil(static_cast<double>(trace_.size()) * 1e9 / rate_per_s);
  constexpr double kLongest = 9e18;  // what 64 bits hold
  return std::chrono::nanoseconds(static_cast<std::int64_t>(std::min(ns, kLongest)));
}

double Arrivals::cycles(double rate_per_s, std::chrono::nanoseconds window) const {
  const auto length = static_cast<double>(cycle(rate_per_s).count());
  return length > 0 ? static_cast<double>(window.count()) / length
                    : std::numeric_limits<double>::infinity();
}

std::chrono::nanoseconds Arrivals::whole_cycles(double rate_per_s,
                                                std::chrono::nanoseconds window) const {
  const std::chrono::nanoseconds length = cycle(rate_per_s);
  if (length.count() == 0 || length > window) return window;
  return (window + length - std::chrono::nanoseconds(1)) / length * length;
}

double Arrivals::offered_share(double rate_per_s, std::int64_t from_ns, std::int64_t to_ns) const {
  const double asked = rate_per_s * static_cast<double>(to_ns - from_ns) * 1e-9;
  if (cycle(rate_per_s).count() == 0 || !(asked > 0)) return 1;
  if (process_ == Process::bursts) {
    const auto busy_until = [&](std::int64_t at) {
      const std::int64_t whole = at / (on_ns_ + off_ns_), rest = at % (on_ns_ + off_ns_);
      return static_cast<double>(whole * on_ns_ + std::min(rest, on_ns_));
    };
    const double busy = busy_until(to_ns) - busy_until(from_ns);
    return busy / static_cast<double>(to_ns - from_ns) * static_cast<double>(on_ns_ + off_ns_) /
           static_cast<double>(on_ns_);
  }
  const auto arrived_by = [&](std::int64_t at) {
    const double unit = static_cast<double>(at) * 1e-9 * rate_per_s;
    const auto length = static_cast<double>(trace_.size());
    const double passes = std::floor(unit / length);
    const auto in_pass =
        std::lower_bound(trace_.begin(), trace_.end(), unit - passes * length) - trace_.begin();
    return passes * length + static_cast<double>(in_pass);
  };
  return (arrived_by(to_ns) - arrived_by(from_ns)) / asked;
}

std::uint32_t request_seed(std::uint64_t schedule_seed, std::uint64_t id) {
  return static_cast<std::uint32_t>(mix64(schedule_seed ^ mix64(id)) % kTabulatedSeeds);
}

}  // namespace precipice
