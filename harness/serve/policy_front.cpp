#include "harness/serve/policy_front.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <exception>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace precipice::serve {
namespace {

// Requests that may be under way at once; more are shed.
constexpr std::uint32_t kIds = 1U << 18;

}  // namespace

/// The innermost layer: tells the ids of the attempts that the model has.
class PolicyFront::Attempts final : public Model {
 public:
  Attempts(RequestIds& ids, std::unique_ptr<Model> model) : ids_(ids), model_(std::move(model)) {}

  unsigned executors(const CpuSet& cpus) const override { return model_->executors(cpus); }
  void start(const ModelSetup& setup) override {
    above_ = setup.job;
    ModelSetup within = setup;
    within.job = {.run = &Attempts::run, .refuse = &Attempts::refuse, .context = this};
    model_->start(within);
  }
  Refusal submit(const Request& request) noexcept override {
    ids_.attempt_begun(request.id);
    const Refusal why = model_->submit(request);
    if (why != Refusal::none) ids_.attempt_ended(request.id);
    return why;
  }
  void shutdown(Time deadline) noexcept override { model_->shutdown(deadline); }
  std::uint64_t in_flight() const noexcept override { return model_->in_flight(); }
  ModelStats stats() const override { return model_->stats(); }

 private:
  static Task<void> run(void* self, Io& io, Request request) {
    auto& attempts = *static_cast<Attempts*>(self);
    co_await attempts.above_.run(attempts.above_.context, io, request);
    attempts.ids_.attempt_ended(request.id);
  }
  static void refuse(void* self, const Request& request, Refusal why) noexcept {
    auto& attempts = *static_cast<Attempts*>(self);
    attempts.above_.refuse(attempts.above_.context, request, why);
    attempts.ids_.attempt_ended(request.id);
  }

  RequestIds& ids_;
  std::unique_ptr<Model> model_;
  Job above_;
};

PolicyFront::PolicyFront(const std::vector<Spec>& policies, std::uint32_t requests,
                         std::unique_ptr<Model> model, Workload& workload, const CpuSet& timer_cpus)
    : workload_(workload),
      ids_(requests > 0 ? requests : kIds,
           requests > 0 ? RequestIds::Reuse::never : RequestIds::Reuse::when_unused),
      waiting_(ids_.count()),
      timers_(timer_cpus) {
  if (requests == 0 && numbers_anew(policies)) {
    throw UsageError(
        "--policy batch: it numbers requests anew and has a place for each, and a server has them "
        "without end; say how many there will be at most (--policy-requests 100k)");
  }
  chain_ = make_chain(policies, std::make_unique<Attempts>(ids_, std::move(model)), timers_);
}

void PolicyFront::start(const CpuSet& cpus) {
  chain_.model->start({.cpus = cpus,
                       .job = job(),
                       .files = workload_.files(),
                       .block_bytes = workload_.block_bytes(),
                       .requests = ids_.count()});
}

Job PolicyFront::job() {
  Job job;
  job.context = this;
  job.refuse = [](void* self, const Request& request, Refusal why) noexcept {
    static_cast<PolicyFront*>(self)->end(request.id, {.why = why, .outcome = {}});
  };
  job.attempt = [](void* self, Io& io, Request request) -> Task<Outcome> {
    Outcome outcome = Outcome::failed(ENOTRECOVERABLE);
    try {
      outcome = co_await static_cast<PolicyFront*>(self)->workload_.run(io, request);
    } catch (const std::bad_alloc&) {
      outcome = Outcome::failed(ENOMEM);
    } catch (const std::exception&) {  // as it stands
    }
    co_return outcome;
  };
  job.attempt_many = [](void* self, Io& io, std::span<const Request> requests,
                        std::span<Outcome> outcomes) {
    return static_cast<PolicyFront*>(self)->workload_.run_many(io, requests, outcomes);
  };
  job.end = [](void* self, const Request& request, const Outcome& outcome) noexcept {
    static_cast<PolicyFront*>(self)->end(request.id, {.why = Refusal::none, .outcome = outcome});
    return true;
  };
  return job;
}

Task<Asked> PolicyFront::ask(Io& io, Request request) {
  const std::optional<std::uint32_t> id = ids_.take();
  if (!id) co_return Asked{.why = Refusal::limit, .outcome = {}};
  Waiting waiting;
  waiting_[*id] = &waiting;
  request.id = *id;
  const Refusal why = chain_.model->submit(request);
  if (why != Refusal::none) {
    ids_.ended(*id);
    co_return Asked{.why = why, .outcome = {}};
  }
  co_await io.acquire(waiting.gate);
  co_return waiting.asked;
}

void PolicyFront::end(std::uint64_t id, const Asked& asked) noexcept {
  Waiting& waiting = *waiting_[id];
  waiting.asked = asked;
  ids_.ended(id);
  waiting.gate.release();  // which is the last that is known of it
}

}  // namespace precipice::serve
