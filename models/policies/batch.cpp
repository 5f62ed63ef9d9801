// batch: requests gather until there are `size` of them or the first has waited for `linger`; then
// the model gets them as one piece of work. Each of them ends when that has ended.
#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include "models/io.hpp"
#include "models/policies/policy.hpp"

namespace precipice {
namespace {

constexpr std::uint64_t kLargestBatch = 65'536;

struct BatchSettings {
  std::uint32_t size = 16;
  Nanos linger{0};
  std::uint64_t running = 0;  ///< most batches inside at once; 0: no bound
  std::optional<Nanos> slo;   ///< the size adapts, so that a batch is executed within it

  static BatchSettings read(const Options& options) {
    BatchSettings result;
    const bool adapts = options.text("size") == "auto";
    if (adapts != options.given("slo"))
      throw UsageError(adapts ? "batch: size=auto needs slo=DURATION, which a batch is to meet"
                              : "batch: slo belongs to size=auto");
    result.size = adapts ? 1 : static_cast<std::uint32_t>(options.count("size", 1, kLargestBatch));
    result.linger = options.duration("linger");
    result.running = options.count("running", 0, 1'000'000'000);
    if (adapts) {
      result.slo = options.duration("slo");
      if (*result.slo <= Nanos(0)) throw UsageError("batch: slo must be above 0");
      if (result.linger >= *result.slo)
        throw UsageError(
            fmt::format("batch: linger={} alone uses up slo={}; make linger shorter or slo longer",
                        format_duration(result.linger), format_duration(*result.slo)));
    }
    return result;
  }
};

/// The members of all batches, in the order in which they came, lie in one array: a batch, called a
/// carrier where it is a request to the model inside, is a range of it. Nothing is ever freed
/// before the end, since an attempt of a policy further in may come long after its carrier has
/// ended.
class Batch final : public Policy {
 public:
  Batch(const Options& options, std::unique_ptr<Model> inner, Timeline* timeline)
      : Policy(std::move(inner), timeline),
        settings_(BatchSettings::read(options)),
        size_(settings_.size),
        exact_size_(settings_.size) {}

  std::optional<Nanos> shortest_time() const override {
    return settings_.linger > Nanos(0) ? std::optional(settings_.linger) : std::nullopt;
  }

  std::string contradiction(Nanos slo) const override {
    if (settings_.linger < slo) return "";
    return fmt::format("linger={} alone is as long as the SLO of {}; shorten linger or loosen it",
                       format_duration(settings_.linger), format_duration(slo));
  }

 protected:
  Numbers prepare(const ModelSetup& outer) override {
    const std::uint64_t most = outer.requests * outer.attempts;
    members_.resize(most);
    outcomes_.assign(most, Outcome::needless());
    if (width_further_in() > 1) stored_.assign(most, Stored::none);
    if (settings_.linger > Nanos(0) && settings_.running > 0) joined_.resize(most);
    // Every request alone, at worst.
    first_.resize(most + 1);
    if (settings_.slo) begun_ns_.resize(most);
    counts_by_size_.assign(settings_.slo ? kLargestBatch + 1 : settings_.size + 1, 0);
    return {most, 1};
  }

  Refusal offer(const Request& request) noexcept override {
    Taken taken;
    bool arm = false;
    Time due{};
    {
      const std::lock_guard lock(mutex_);
      members_[joined_count_] = request;
      if (settings_.linger > Nanos(0)) {
        if (!joined_.empty()) joined_[joined_count_] = timeline().now();
        if (joined_count_ == sent_count_) {
          due_ = timeline().now() + settings_.linger;
          arm = !std::exchange(armed_, true);
          due = due_;
        }
      }
      ++joined_count_;
      taken = take(settings_.linger == Nanos(0));
    }
    if (arm) set_timer(due);
    send(taken);
    return Refusal::none;
  }

  Task<Outcome> attempt(Io& io, const Request& request) override {
    return run_members(*this, io, request);
  }
  Task<void> attempt_many(Io& io, std::span<const Request> carriers,
                          std::span<Outcome> outcomes) override {
    return run_carriers(*this, io, carriers, outcomes);
  }

  bool ended(const Request& carrier, const Outcome& outcome) noexcept override {
    const auto [from, to] = range(carrier);
    // While an attempt of a policy further in is still at work it may store its outcomes.
    std::unique_lock lock(mutex_, std::defer_lock);
    bool of_use = false;
    for (std::uint64_t at = from; at < to; ++at) {
      if (!stored_.empty()) lock.lock();
      const Outcome own = outcomes_[at];
      if (!stored_.empty()) lock.unlock();
      of_use = end(members_[at], own.error == Outcome::kNeedless ? outcome : own) || of_use;
    }
    leave(carrier, to - from);
    return of_use;
  }
  void refused(const Request& carrier, Refusal why) noexcept override {
    const auto [from, to] = range(carrier);
    for (std::uint64_t at = from; at < to; ++at) refuse(members_[at], why);
    leave(carrier, 0);
  }

  void stop() noexcept override {
    std::uint64_t from, to;
    {
      const std::lock_guard lock(mutex_);
      from = std::exchange(sent_count_, joined_count_);
      to = joined_count_;
    }
    for (; from < to; ++from) refuse(members_[from], Refusal::shutdown);
  }

  ModelStats own_stats() const override {
    const std::lock_guard lock(mutex_);
    double batches = 0, requests = 0;
    for (std::size_t n = 0; n < counts_by_size_.size(); ++n) {
      batches += counts_by_size_[n];
      requests += static_cast<double>(n) * counts_by_size_[n];
    }
    double seen = 0;
    std::size_t p99 = 0;
    while (batches > 0 && (seen += counts_by_size_[p99]) < 0.99 * batches) ++p99;
    ModelStats stats = {{"batches", batches},
                        {"batch_mean", batches > 0 ? requests / batches : 0},
                        {"batch_p99", static_cast<double>(p99)}};
    if (settings_.slo) stats.emplace_back("batch_size", size_);
    return stats;
  }

 private:
  enum class Stored : std::uint8_t { none, failed, succeeded };
  /// A batch that goes inwards now.
  struct Taken {
    bool any = false;
    Request carrier;
  };

  std::pair<std::uint64_t, std::uint64_t> range(const Request& carrier) const {
    return {first_[carrier.id], first_[carrier.id + 1]};
  }
  /// With the lock held. `now`: the oldest has waited long enough.
  Taken take(bool now) noexcept {
    const std::uint64_t waiting = joined_count_ - sent_count_;
    if (waiting == 0 || (waiting < size_ && !now) || stopping()) return {};
    if (settings_.running > 0 && inside_ >= settings_.running) return {};
    const std::uint64_t taken = std::min<std::uint64_t>(waiting, size_);
    const std::uint64_t id = carriers_++;
    const Request& first = members_[sent_count_];
    sent_count_ += taken;
    first_[id + 1] = sent_count_;
    ++inside_;
    ++counts_by_size_[taken];
    return {true,
            {.id = id,
             .seed = first.seed,
             .priority = first.priority,
             .replica = first.replica,
             .intended = first.intended}};
  }

  void send(const Taken& taken) noexcept {
    if (!taken.any) return;
    const Refusal why = hand_on(taken.carrier);
    if (why != Refusal::none) refused(taken.carrier, why);
  }

  void set_timer(Time due) noexcept {
    if (timeline().at(due, {&Batch::ring, this, 0})) return;
    // No memory for a timer: what waits goes now, since nothing would send it later.
    Taken taken;
    {
      const std::lock_guard lock(mutex_);
      armed_ = false;
      taken = take(true);
    }
    send(taken);
  }

  static void ring(void* self, std::uint64_t) noexcept { static_cast<Batch*>(self)->lingered(); }
  void lingered() noexcept {
    Taken taken;
    Time again{};
    {
      const std::lock_guard lock(mutex_);
      const Time now = timeline().now();
      armed_ = false;
      if (joined_count_ == sent_count_) return;  // the next to come sets its own timer
      if (now >= due_) taken = take(true);
      // What waits for a batch inside to end is sent by that end.
      if (joined_count_ != sent_count_ && now < due_) {
        armed_ = true;
        again = due_;
      }
    }
    if (again != Time{}) set_timer(again);
    send(taken);
  }

  /// A carrier has left; others may have waited for that.
  void leave(const Request& carrier, std::uint64_t executed) noexcept {
    Taken taken;
    Time again{};
    {
      const std::lock_guard lock(mutex_);
      --inside_;
      if (settings_.slo && executed > 0) adapt(carrier, executed);
      if (stopping()) return;
      if (settings_.running > 0 && joined_count_ != sent_count_) {
        const bool lingers = settings_.linger > Nanos(0);
        if (lingers) due_ = joined_[sent_count_] + settings_.linger;
        taken = take(!lingers || timeline().now() >= due_);
        if (lingers && joined_count_ != sent_count_) {
          due_ = joined_[sent_count_] + settings_.linger;
          if (!std::exchange(armed_, true)) again = due_;
        }
      }
    }
    if (again != Time{}) set_timer(again);
    send(taken);
  }

  /// Additive increase, multiplicative decrease of the size by the time that a batch was executed
  /// for (Crankshaw et al., Clipper, NSDI 2017: one more, or a tenth less).
  void adapt(const Request& carrier, std::uint64_t executed) noexcept {
    const auto took = timeline().now().time_since_epoch().count() - begun_ns_[carrier.id];
    if (took > settings_.slo->count()) {
      if (executed >= size_) exact_size_ = std::max(1.0, 0.9 * exact_size_);
    } else if (executed >= size_) {
      exact_size_ = std::min(static_cast<double>(kLargestBatch), exact_size_ + 1);
    }
    size_ = static_cast<std::uint32_t>(exact_size_);
  }

  static Task<Outcome> run_members(Batch& batch, Io& io, Request carrier) {
    const auto [from, to] = batch.range(carrier);
    if (batch.settings_.slo)
      batch.begun_ns_[carrier.id] = batch.timeline().now().time_since_epoch().count();
    const std::uint64_t count = to - from;
    std::span<const Request> requests(batch.members_.data() + from, count);
    std::span<Outcome> outcomes(batch.outcomes_.data() + from, count);
    // Where a policy further in makes several attempts, each has numbers and outcomes of its own.
    std::vector<Request> numbered;
    std::vector<Outcome> own;
    const std::uint32_t width = batch.width_further_in();
    if (width > 1) {
      numbered.assign(requests.begin(), requests.end());
      for (Request& each : numbered)
        each.attempt = static_cast<std::uint16_t>(each.attempt * width + carrier.attempt);
      requests = numbered;
      own.assign(count, Outcome::needless());
      outcomes = own;
    }
    co_await batch.outer_job().attempt_many(batch.outer_job().context, io, requests, outcomes);
    Outcome all;
    for (const Outcome& each : outcomes) {
      all.digest ^= each.digest;
      if (!each.succeeded()) all.error = each.error;
    }
    if (width > 1) batch.store(carrier, from, own, all.succeeded());
    co_return all;
  }
  /// Of several attempts, the outcomes of the first that succeeded count, else those of the first.
  void store(const Request& carrier, std::uint64_t from, const std::vector<Outcome>& own,
             bool succeeded) {
    const std::lock_guard lock(mutex_);
    Stored& stored = stored_[carrier.id];
    if (stored == Stored::succeeded || (stored == Stored::failed && !succeeded)) return;
    stored = succeeded ? Stored::succeeded : Stored::failed;
    std::copy(own.begin(), own.end(), outcomes_.begin() + static_cast<std::ptrdiff_t>(from));
  }
  static Task<void> run_carriers(Batch& batch, Io& io, std::span<const Request> carriers,
                                 std::span<Outcome> outcomes) {
    for (std::size_t i = 0; i < carriers.size(); ++i)
      outcomes[i] = co_await run_members(batch, io, carriers[i]);
  }

  const BatchSettings settings_;
  std::vector<Request> members_;
  std::vector<Outcome> outcomes_;
  std::vector<Time> joined_;
  std::vector<std::uint64_t> first_;  ///< member of each carrier, and one past the last
  std::vector<std::int64_t> begun_ns_;
  std::vector<Stored> stored_;  ///< whose outcomes those of a carrier are, if there can be several

  mutable std::mutex mutex_;
  std::uint64_t joined_count_ = 0, sent_count_ = 0;  ///< of members_
  std::uint64_t carriers_ = 0, inside_ = 0;
  std::uint32_t size_;
  double exact_size_;
  Time due_{};  ///< of the oldest that waits
  bool armed_ = false;
  std::vector<double> counts_by_size_;
};

}  // namespace

PolicyInfo batch_policy() {
  return {.name = "batch",
          .summary = "gathers requests, which the model executes as one piece of work",
          .options = {{"size", "16",
                       "most requests of a batch, 1 to 65536, or auto: as many as are executed "
                       "within slo (additive increase, multiplicative decrease)"},
                      {"linger", "5ms",
                       "longest wait of the first request for others (5ms is the default of Kafka "
                       "4.0's producer); 0 sends at once, so that batches form only behind "
                       "`running`"},
                      {"running", "0", "most batches in the model at once; 0 is no bound"},
                      {"slo", "", "with size=auto: the time that a batch is executed within"}},
          .make = [](const Options& options, std::unique_ptr<Model> inner,
                     Timeline* timeline) -> std::unique_ptr<Policy> {
            return std::make_unique<Batch>(options, std::move(inner), timeline);
          }};
}

}  // namespace precipice
