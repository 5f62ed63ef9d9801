#include "tests/faults/fault_rig.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <utility>

#include "harness/trial/policy_chain.hpp"

namespace precipice::testing {

using namespace std::chrono_literals;

bool FaultVariant::runs_in_submit() const { return model == "inline"; }
bool FaultVariant::blocks() const {
  const auto io = given.find("io");
  return runs_in_submit() || model == "thread_per_request" || model == "fixed_pool" ||
         (io != given.end() && io->second == "block");
}

const std::vector<FaultVariant>& fault_variants() {
  static const std::vector<FaultVariant> all = {
      {"inline", "inline"},
      {"thread_per_request", "thread_per_request"},
      {"fixed_pool", "fixed_pool", {{"threads", "4"}}},
      {"fixed_pool_lockfree", "fixed_pool", {{"threads", "4"}, {"queue", "lockfree"}}},
      {"fixed_pool_per_worker", "fixed_pool", {{"threads", "4"}, {"queue", "per_worker"}}},
      {"event_loop", "event_loop", {{"offload_threads", "2"}}},
      {"event_loop_shared", "event_loop", {{"offload_threads", "2"}, {"contexts", "shared"}}},
      {"io_uring", "io_uring"},
      {"work_stealing_block", "work_stealing", {{"threads", "4"}, {"io", "block"}}},
      {"work_stealing_suspend", "work_stealing", {{"io", "suspend"}, {"offload_threads", "2"}}},
  };
  return all;
}

std::string fault_label(const ::testing::TestParamInfo<FaultVariant>& each) {
  return each.param.label;
}

Watchdog::Watchdog(const FaultBench& bench)
    : thread_([this, &bench] {
        std::unique_lock lock(mutex_);
        if (changed_.wait_for(lock, 60s, [this] { return over_; })) return;
        std::fprintf(stderr, "hang: %s\n", bench.missing().c_str());
        std::abort();
      }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

class FaultBench::BodyWorkload final : public Workload {
 public:
  BodyWorkload(FaultBench& bench, Body body) : bench_(bench), body_(body) {}
  void prepare(const WorkloadSetup&) override {}
  Task<Outcome> run(Io& io, const Request& request) override { return body_(bench_, io, request); }
  Nanos nominal_service() const override { return Nanos(0); }
  Nanos nominal_cpu() const override { return Nanos(0); }

 private:
  FaultBench& bench_;
  const Body body_;
};

FaultBench::FaultBench(const FaultVariant& variant, std::size_t requests, Body body,
                       const std::map<std::string, std::string>& more)
    : slots(requests), ready(requests), was_offered_(requests) {
  own_ = std::make_unique<BodyWorkload>(*this, body);
  set_up(variant, *own_, more);
}

FaultBench::FaultBench(const FaultVariant& variant, std::size_t requests, Workload& workload,
                       const std::map<std::string, std::string>& more)
    : slots(requests), ready(requests), was_offered_(requests) {
  set_up(variant, workload, more);
}

void FaultBench::set_up(const FaultVariant& variant, Workload& workload,
                        const std::map<std::string, std::string>& more) {
  const ModelInfo& info = model_named(variant.model);
  std::map<std::string, std::string> given = more;
  given.insert(variant.given.begin(), variant.given.end());
  model = info.make(Options(info.name, info.options, given));
  if (!variant.policies.empty()) {
    timeline = std::make_unique<TimerThread>(CpuSet::of_this_thread());
    model = make_chain(parse_policies(variant.policies), std::move(model), *timeline).model;
  }
  setup.requests = slots.size();
  observed_ = std::make_unique<InstrumentedJob>(workload, slots, in_flight);
  setup.cpus = CpuSet::of_this_thread();
  setup.files = workload.files();
  setup.block_bytes = workload.block_bytes();
  setup.job = {[](void* self, Io& io, Request request) -> Task<void> {
                 auto& bench = *static_cast<FaultBench*>(self);
                 if (bench.before_frame != nullptr) bench.before_frame(bench, request);
                 const Job job = bench.observed_->job();
                 return job.run(job.context, io, request);
               },
               [](void* self, const Request& request, Refusal why) noexcept {
                 const Job job = static_cast<FaultBench*>(self)->observed_->job();
                 job.refuse(job.context, request, why);
               },
               this,
               [](void* self, Io& io, Request request) -> Task<Outcome> {
                 auto& bench = *static_cast<FaultBench*>(self);
                 if (bench.before_frame != nullptr) bench.before_frame(bench, request);
                 const Job job = bench.observed_->job();
                 return job.attempt(job.context, io, request);
               },
               [](void* self, Io& io, std::span<const Request> requests,
                  std::span<Outcome> outcomes) -> Task<void> {
                 auto& bench = *static_cast<FaultBench*>(self);
                 if (bench.before_frame != nullptr) bench.before_frame(bench, requests.front());
                 const Job job = bench.observed_->job();
                 return job.attempt_many(job.context, io, requests, outcomes);
               },
               [](void* self, const Request& request, const Outcome& outcome) noexcept {
                 const Job job = static_cast<FaultBench*>(self)->observed_->job();
                 return job.end(job.context, request, outcome);
               }};
  watchdog_ = std::make_unique<Watchdog>(*this);
}

FaultBench::~FaultBench() { model.reset(); }

Refusal FaultBench::submit(std::uint64_t id) {
  was_offered_[id].store(true);
  in_flight.enter(0);
  offered.fetch_add(1);
  const Request request{
      .id = id, .seed = static_cast<std::uint32_t>(id % kTabulatedSeeds), .intended = Io::now()};
  const Refusal refusal = model->submit(request);
  if (refusal == Refusal::none) {
    accepted.fetch_add(1);
  } else {
    const Job job = observed_->job();
    job.refuse(job.context, request, refusal);
  }
  return refusal;
}

void FaultBench::submit_range(std::uint64_t first, std::uint64_t last) {
  for (std::uint64_t id = first; id < last; ++id) submit(id);
}

void FaultBench::wait_ended(std::uint64_t number) const {
  for (;;) {
    std::uint64_t ended = 0;
    for (std::size_t id = 0; id < slots.size(); ++id) ended += slots[id].ends.load() != 0;
    if (ended >= number) return;
    std::this_thread::sleep_for(1ms);
  }
}

void FaultBench::wait_for(const std::atomic<std::uint64_t>& counter, std::uint64_t least) {
  while (counter.load() < least) std::this_thread::sleep_for(200us);
}

Ends FaultBench::ends() const {
  Ends result;
  for (std::size_t id = 0; id < slots.size(); ++id) {
    const Slot& slot = slots[id];
    if (!was_offered_[id].load()) {
      EXPECT_EQ(slot.ends.load(), 0) << "request " << id << " was never offered, and ended";
      continue;
    }
    if (slot.ends.load() > 1) ++result.more_than_once;
    switch (slot.end) {
      case End::open:
        ++result.open;
        break;
      case End::completed:
        ++result.completed;
        break;
      case End::failed:
        ++result.failed;
        ++result.errors[slot.error];
        break;
      case End::shed:
        ++result.shed;
        ++result.reasons[static_cast<Refusal>(slot.error)];
        break;
    }
  }
  EXPECT_EQ(result.open, 0U) << missing();
  EXPECT_EQ(result.more_than_once, 0U);
  EXPECT_EQ(result.completed + result.failed + result.shed, offered.load());
  EXPECT_EQ(result.errors.count(0), 0U) << "a failure without an errno";
  EXPECT_EQ(in_flight.in_flight(), 0);
  EXPECT_EQ(model->in_flight(), 0U);
  return result;
}

double FaultBench::stat(const std::string& name) const {
  for (const auto& [key, value] : model->stats()) {
    if (key == name) return value;
  }
  return -1;
}

std::string FaultBench::missing() const {
  std::string text = "model in flight " + std::to_string(model->in_flight()) + ", offered " +
                     std::to_string(offered.load()) + ", accepted " +
                     std::to_string(accepted.load()) + ", not ended:";
  int shown = 0;
  for (std::size_t id = 0; id < slots.size(); ++id) {
    if (!was_offered_[id].load() || slots[id].ends.load() != 0) continue;
    if (++shown > 20) return text + " ...";
    text += " " + std::to_string(id) + (slots[id].begin_ns < 0 ? " (not begun)" : " (begun)");
  }
  return text;
}

void alone(void (*body)(const FaultVariant&), const FaultVariant& variant) {
  body(variant);
  std::exit(::testing::Test::HasFailure() ? 1 : 0);
}

}  // namespace precipice::testing
