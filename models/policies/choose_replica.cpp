#include "models/policies/choose_replica.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "models/random.hpp"

namespace precipice {
namespace {

constexpr std::uint64_t kMostReplicas = std::numeric_limits<decltype(Request::replica)>::max();

/// What balances is the number of requests under way at each replica, as its clients count it.
class ReplicaChoice final : public Policy {
 public:
  ReplicaChoice(const Options& options, std::unique_ptr<Model> inner, Timeline* timeline)
      : Policy(std::move(inner), timeline),
        pick_(pick_of(options.choice("pick", {"random", "two", "least"}))),
        replicas_(options.count("replicas", 2, kMostReplicas)) {}

 protected:
  Numbers prepare(const ModelSetup& outer) override {
    chosen_.assign(outer.requests * outer.attempts, 0);
    return Policy::prepare(outer);
  }

  Refusal offer(const Request& request) noexcept override {
    const std::size_t replica = choice_for(request);
    replicas_[replica].under_way.fetch_add(1, std::memory_order_relaxed);
    replicas_[replica].taken.fetch_add(1, std::memory_order_relaxed);
    Request inside = request;
    inside.replica = static_cast<std::uint8_t>(replica + 1);
    chosen_[place(request)] = inside.replica;  // before its end, which may come from within
    const Refusal why = hand_on(inside);
    if (why != Refusal::none) leave(request);
    return why;
  }
  bool ended(const Request& inside, const Outcome& outcome) noexcept override {
    leave(inside);
    return Policy::ended(inside, outcome);
  }
  void refused(const Request& inside, Refusal why) noexcept override {
    leave(inside);
    Policy::refused(inside, why);
  }

  ModelStats own_stats() const override {
    std::uint64_t all = 0, most = 0;
    for (const Replica& replica : replicas_) {
      const std::uint64_t taken = replica.taken.load(std::memory_order_relaxed);
      all += taken;
      most = std::max(most, taken);
    }
    const double mean = static_cast<double>(all) / static_cast<double>(replicas_.size());
    return {{"replica_skew", all > 0 ? static_cast<double>(most) / mean : 1}};
  }

 private:
  enum class Pick : std::uint8_t { random, two, least };
  static Pick pick_of(const std::string& text) {
    return text == "random" ? Pick::random : text == "two" ? Pick::two : Pick::least;
  }
  struct alignas(64) Replica {
    std::atomic<std::int64_t> under_way{0};
    std::atomic<std::uint64_t> taken{0};
  };

  std::int64_t under_way(std::size_t replica) const {
    return replicas_[replica].under_way.load(std::memory_order_relaxed);
  }

  /// Equal ones are told apart by the draw, so that no replica is preferred.
  std::size_t choice_for(const Request& request) const {
    const std::size_t n = replicas_.size();
    const std::uint64_t draw = mix64(mix64(request.seed + 0x7265706cU) + mix64(request.id) +
                                     (std::uint64_t{request.attempt} << 32));
    const std::size_t first = draw % n;
    if (pick_ == Pick::random) return first;
    if (pick_ == Pick::two) {
      const std::size_t second = (first + 1 + mix64(draw) % (n - 1)) % n;
      return under_way(second) < under_way(first) ? second : first;
    }
    std::size_t least = first;
    std::int64_t fewest = under_way(first);
    for (std::size_t i = 1; i < n && fewest > 0; ++i) {
      const std::size_t other = (first + i) % n;
      const std::int64_t there = under_way(other);
      if (there >= fewest) continue;
      least = other;
      fewest = there;
    }
    return least;
  }

  void leave(const Request& request) noexcept {
    replicas_[chosen_[place(request)] - 1U].under_way.fetch_sub(1, std::memory_order_relaxed);
  }

  const Pick pick_;
  std::vector<Replica> replicas_;
  /// A policy further in may have chosen again, so the request that comes back does not tell.
  std::vector<std::uint8_t> chosen_;
};

}  // namespace

std::unique_ptr<Policy> make_replica_choice(const Options& options, std::unique_ptr<Model> inner,
                                            Timeline* timeline) {
  return std::make_unique<ReplicaChoice>(options, std::move(inner), timeline);
}

}  // namespace precipice
