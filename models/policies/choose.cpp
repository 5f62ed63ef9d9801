// choose: two chains around one model; the class of a request, or how many are under way, says
// which of them it takes. Or a choice among the replicas that serve it.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "models/policies/choose_replica.hpp"
#include "models/policies/policy.hpp"

namespace precipice {
namespace {

/// `(batch:size=8,linger=2ms|hedge)` around a model; `(none)` passes through.
std::unique_ptr<Model> chain_of(std::string_view text, std::string_view key,
                                std::unique_ptr<Model> inner, Timeline* timeline) {
  const std::string what = fmt::format("choose: {}", key);
  if (text.size() < 3 || text.front() != '(' || text.back() != ')') {
    throw UsageError(fmt::format("{} '{}' is no chain in parentheses, as in ({}) or (none)", what,
                                 text, "batch:size=8,linger=2ms"));
  }
  text = text.substr(1, text.size() - 2);
  std::vector<std::string_view> policies = split_outside_parentheses(text, '|', what);
  std::reverse(policies.begin(), policies.end());  // the innermost first
  for (const std::string_view policy : policies) {
    const std::size_t colon = std::min(policy.find(':'), policy.size());
    const std::string name(policy.substr(0, colon));
    std::map<std::string, std::string> given;
    if (colon < policy.size()) {
      for (const std::string_view part :
           split_outside_parentheses(policy.substr(colon + 1), ',', what)) {
        const std::size_t equal = part.find('=');
        if (equal == std::string_view::npos)
          throw UsageError(fmt::format("{} has '{}' where key=value belongs", what, part));
        given[std::string(part.substr(0, equal))] = part.substr(equal + 1);
      }
    }
    const PolicyInfo& info = policy_named(name);
    inner = info.make(Options(name, info.options, given), std::move(inner), timeline);
  }
  return inner;
}

struct ChooseSettings {
  bool by_stress = false;
  std::uint16_t classes = 1;      ///< of the suite, from the first on: they take `first`
  std::int64_t up = 0, down = 0;  ///< under way: stress begins, stress ends
  Nanos hold{0};

  static ChooseSettings read(const Options& options) {
    ChooseSettings result;
    result.by_stress = options.text("by") == "stress";
    for (const char* key : {"up", "down"}) {
      if (options.given(key) != result.by_stress) {
        throw UsageError(result.by_stress
                             ? fmt::format("choose: by=stress needs {}=N, requests under way", key)
                             : fmt::format("choose: {} belongs to by=stress", key));
      }
    }
    if (result.by_stress && options.given("classes"))
      throw UsageError("choose: classes belongs to by=class");
    result.classes = static_cast<std::uint16_t>(options.count("classes", 1, 100));
    if (!result.by_stress) return result;
    result.up = static_cast<std::int64_t>(options.count("up", 1, 1'000'000'000));
    result.down = static_cast<std::int64_t>(options.count("down", 1, 1'000'000'000));
    result.hold = options.duration("hold");
    if (result.down >= result.up)
      throw UsageError("choose: down must be below up, or the choice would never rest");
    return result;
  }
};

void check_keys(const Options& options, bool by_replica) {
  if (by_replica && !options.given("replicas"))
    throw UsageError("choose: by=replica needs replicas=N, as many as the work has");
  for (const char* key : {"replicas", "pick"}) {
    if (!by_replica && options.given(key))
      throw UsageError(fmt::format("choose: {} belongs to by=replica", key));
  }
  for (const char* key : {"first", "second", "classes", "up", "down", "hold"}) {
    if (by_replica && options.given(key)) {
      throw UsageError(
          fmt::format("choose: {} belongs to by=class and by=stress, not to "
                      "by=replica",
                      key));
    }
  }
}

class Choose final : public Policy {
 public:
  Choose(const Options& options, std::unique_ptr<Model> inner, Timeline* timeline)
      : Policy(std::move(inner), timeline), settings_(ChooseSettings::read(options)) {
    constexpr std::array kKeys = {"first", "second"};
    for (std::size_t i = 0; i < branches_.size(); ++i) {
      auto port = std::make_unique<Port>(*this);
      Branch& branch = branches_[i];
      branch.all = this;
      branch.port = port.get();
      branch.chain = chain_of(options.text(kKeys[i]), kKeys[i], std::move(port), timeline);
      branch.width = dynamic_cast<const Policy&>(*branch.chain).width_until(*branch.port);
      branch.port->number = i;
      width_ = std::max(width_, branch.width);
    }
  }

  std::uint32_t width() const override { return width_; }

  std::optional<Nanos> shortest_time() const override {
    std::optional<Nanos> shortest;
    for (const Branch& branch : branches_) {
      const auto* policy = dynamic_cast<const Policy*>(branch.chain.get());
      const auto own = policy == nullptr ? std::nullopt : policy->shortest_time();
      if (own) shortest = std::min(*own, shortest.value_or(*own));
    }
    return shortest;
  }

 protected:
  Numbers prepare(const ModelSetup& outer) override {
    Numbers inside;
    for (Branch& branch : branches_) {
      ModelSetup setup = outer;
      setup.job = branch_job(branch);
      branch.chain->start(setup);
      branch.port->first_id = inside.requests;
      inside.requests += branch.port->setup.requests;
      inside.attempts =
          std::max(inside.attempts, branch.port->setup.attempts / branch.width * width_);
    }
    return inside;
  }

  Refusal offer(const Request& request) noexcept override {
    const bool second = settings_.by_stress ? stressed() : request.priority >= settings_.classes;
    taken_[second ? 1 : 0].fetch_add(1, std::memory_order_relaxed);
    return branches_[second ? 1 : 0].chain->submit(request);
  }

  // What comes from within belongs to the branch whose ids it has.
  Task<Outcome> attempt(Io& io, const Request& request) override {
    Port& port = port_of(request);
    return port.setup.job.attempt(port.setup.job.context, io,
                                  port.own(request, width_further_in()));
  }
  Task<void> attempt_many(Io& io, std::span<const Request> requests,
                          std::span<Outcome> outcomes) override {
    return attempt_parts(*this, io, requests, outcomes);
  }
  bool ended(const Request& inside, const Outcome& outcome) noexcept override {
    Port& port = port_of(inside);
    return port.setup.job.end(port.setup.job.context, port.own(inside), outcome);
  }
  void refused(const Request& inside, Refusal why) noexcept override {
    Port& port = port_of(inside);
    port.setup.job.refuse(port.setup.job.context, port.own(inside), why);
  }

  void stop() noexcept override {
    for (Branch& branch : branches_) branch.chain->shutdown(timeline().now());
  }

  ModelStats own_stats() const override {
    ModelStats stats = {
        {"first", static_cast<double>(taken_[0].load(std::memory_order_relaxed))},
        {"second", static_cast<double>(taken_[1].load(std::memory_order_relaxed))},
        {"switches", static_cast<double>(switches_.load(std::memory_order_relaxed))}};
    for (const Branch& branch : branches_) {
      for (auto& figure : branch.chain->stats()) stats.push_back(std::move(figure));
    }
    return stats;
  }

 private:
  /// The inner end of a branch: the one model, with ids of its own.
  class Port final : public Model, public AttemptWidth {
   public:
    explicit Port(Choose& all) : all_(all) {}
    std::size_t number = 0;  ///< of the branch
    unsigned executors(const CpuSet& cpus) const override { return all_.executors(cpus); }
    void start(const ModelSetup& own) override { setup = own; }
    Refusal submit(const Request& request) noexcept override {
      Request inside = request;
      inside.id += first_id;
      inside.attempt = all_.branches_[number].common(request.attempt, 1);
      return all_.hand_on(inside);
    }
    void shutdown(Time) noexcept override {}  // the model is not this branch's alone
    std::uint64_t in_flight() const noexcept override { return 0; }
    ModelStats stats() const override { return {}; }
    std::uint32_t total_width() const override { return all_.total_width() / all_.width(); }

    /// As the branch numbers it; the number inside is one of `further_in` to each of it.
    Request own(const Request& inside, std::uint32_t further_in = 1) const {
      Request request = inside;
      request.id -= first_id;
      request.attempt = all_.branches_[number].own(inside.attempt, further_in);
      return request;
    }

    ModelSetup setup;  ///< what the branch hands inwards
    std::uint64_t first_id = 0;

   private:
    Choose& all_;
  };
  /// The branches make different numbers of attempts: each numbers them by its own width, and the
  /// policies around and within by the larger one, the common number.
  struct Branch {
    Choose* all = nullptr;
    Port* port = nullptr;
    std::unique_ptr<Model> chain;
    std::uint32_t width = 1;

    std::uint16_t common(std::uint32_t own, std::uint32_t further_in) const {
      return renumbered(own, further_in, width, all->width_);
    }
    std::uint16_t own(std::uint32_t common, std::uint32_t further_in) const {
      return renumbered(common, further_in, all->width_, width);
    }
    static std::uint16_t renumbered(std::uint32_t number, std::uint32_t further_in,
                                    std::uint32_t from, std::uint32_t to) {
      const std::uint32_t at = number / further_in;
      return static_cast<std::uint16_t>((at / from * to + at % from) * further_in +
                                        number % further_in);
    }
  };

  /// The outer end of a branch.
  static Job branch_job(Branch& branch) {
    Job job;
    job.context = &branch;
    job.refuse = [](void* self, const Request& request, Refusal why) noexcept {
      static_cast<Branch*>(self)->all->refuse(request, why);
    };
    job.end = [](void* self, const Request& request, const Outcome& outcome) noexcept {
      return static_cast<Branch*>(self)->all->end(request, outcome);
    };
    // The work of an attempt is the caller's.
    job.attempt = [](void* self, Io& io, Request request) {
      const auto& own = *static_cast<Branch*>(self);
      const Job& outer = own.all->outer_job();
      request.attempt = own.common(request.attempt, own.all->width_further_in());
      return outer.attempt(outer.context, io, request);
    };
    job.attempt_many = [](void* self, Io& io, std::span<const Request> requests,
                          std::span<Outcome> outcomes) {
      return work_of(*static_cast<Branch*>(self), io, requests, outcomes);
    };
    return job;
  }
  static Task<void> work_of(Branch& branch, Io& io, std::span<const Request> requests,
                            std::span<Outcome> outcomes) {
    const Job& outer = branch.all->outer_job();
    std::vector<Request> numbered(requests.begin(), requests.end());
    for (Request& each : numbered)
      each.attempt = branch.common(each.attempt, branch.all->width_further_in());
    co_await outer.attempt_many(outer.context, io, numbered, outcomes);
  }

  Port& port_of(const Request& inside) const {
    return *branches_[inside.id >= branches_[1].port->first_id ? 1 : 0].port;
  }
  /// A batch further in may hold requests of both: those of one branch that follow each other go
  /// together.
  static Task<void> attempt_parts(Choose& all, Io& io, std::span<const Request> requests,
                                  std::span<Outcome> outcomes) {
    for (std::size_t from = 0, to = 0; from < requests.size(); from = to) {
      Port& port = all.port_of(requests[from]);
      std::vector<Request> part;
      for (; to < requests.size() && &all.port_of(requests[to]) == &port; ++to)
        part.push_back(port.own(requests[to], all.width_further_in()));
      const Job& job = port.setup.job;
      co_await job.attempt_many(job.context, io, part, outcomes.subspan(from, to - from));
    }
  }

  /// Hysteresis: between `down` and `up`, and for `hold` after a change, it stays as it is.
  bool stressed() noexcept {
    const auto under_way = static_cast<std::int64_t>(in_flight());
    const std::lock_guard lock(mutex_);
    if (under_way > settings_.down && under_way < settings_.up) return stressed_;
    const bool wanted = under_way >= settings_.up;
    const Time now = timeline().now();
    if (wanted != stressed_ && now >= changed_ + settings_.hold) {
      stressed_ = wanted;
      changed_ = now;
      switches_.fetch_add(1, std::memory_order_relaxed);
    }
    return stressed_;
  }

  const ChooseSettings settings_;
  std::array<Branch, 2> branches_;
  std::uint32_t width_ = 1;
  std::array<std::atomic<std::uint64_t>, 2> taken_{};
  std::atomic<std::uint64_t> switches_{0};
  std::mutex mutex_;
  bool stressed_ = false;
  Time changed_ = Time(Nanos::min() / 2);
};

}  // namespace

PolicyInfo choose_policy() {
  return {
      .name = "choose",
      .summary = "two chains before one model by a request's class or by stress, or a replica",
      .options =
          {{"by", "class",
            "class: the suite's first class takes `first`, the others `second`; stress: all take "
            "`second` from `up` requests under way until `down`; replica: one of `replicas`"},
           {"first", "(none)", "a chain in parentheses, as in (batch:size=8,linger=2ms|hedge)"},
           {"second", "(none)", "likewise"},
           {"classes", "1",
            "by=class: how many classes, from the first on, take `first`; for three of them, "
            "`second` "
            "is another choose with classes=2"},
           {"up", "", "by=stress: requests under way at which stress begins"},
           {"down", "",
            "by=stress: requests under way at which it ends, 1 (the one that comes) or more, below "
            "up"},
           {"hold", "0", "by=stress: shortest time between two changes"},
           {"replicas", "", "by=replica: how many, 2 to 255"},
           {"pick", "two",
            "by=replica: random; two: of two drawn at random the one with fewer under way; least: "
            "the one with the fewest of all"}},
      .make = [](const Options& options, std::unique_ptr<Model> inner,
                 Timeline* timeline) -> std::unique_ptr<Policy> {
        const bool by_replica = options.choice("by", {"class", "stress", "replica"}) == "replica";
        check_keys(options, by_replica);
        if (by_replica) return make_replica_choice(options, std::move(inner), timeline);
        return std::make_unique<Choose>(options, std::move(inner), timeline);
      }};
}

}  // namespace precipice
