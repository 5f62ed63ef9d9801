// inline: the submitting thread runs the request itself. No queue, no hand-off: what is left is the
// workload's own service time, which every other model is held against.
#include <pthread.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "models/admission.hpp"
#include "models/blocking_io.hpp"
#include "models/interrupt_rounds.hpp"
#include "models/model.hpp"
#include "models/unavailable.hpp"

namespace precipice {
namespace {

// Inside a function, so that it is there whoever asks first.
const std::vector<OptionKey>& inline_keys() {
  static const std::vector<OptionKey> all = {
      {"in_flight_limit", kInFlightLimitDefault,
       "most requests under way at once; past it, shed. Only submitters that run in parallel, or a "
       "request that submits, can have more than one"},
  };
  return all;
}

class InlineModel final : public Model {
 public:
  explicit InlineModel(const Options& options)
      : admission_(options.count("in_flight_limit", 1, 1'000'000'000)) {}
  ~InlineModel() override { shutdown(Io::now()); }

  unsigned executors(const CpuSet&) const override { return 1; }

  void start(const ModelSetup& setup) override {
    install_interrupt_signal();
    job_ = setup.job;
    try {
      io_ = std::make_unique<BlockingIo>(setup.cut_short);
    } catch (...) {
      throw_unavailable("inline");
    }
    admission_.open();
  }

  Refusal submit(const Request& request) noexcept override {
    if (const Refusal refusal = admission_.enter(); refusal != Refusal::none) return refusal;
    Submitter self{pthread_self(), nullptr};
    {
      const std::lock_guard lock(mutex_);
      self.next = submitters_;
      submitters_ = &self;
    }
    execute(
        job_, *io_, request, [](void*) {}, nullptr);
    {
      const std::lock_guard lock(mutex_);
      Submitter** link = &submitters_;
      while (*link != &self) link = &(*link)->next;
      *link = self.next;
    }
    admission_.leave();
    return Refusal::none;
  }

  void shutdown(Time deadline) noexcept override {
    admission_.close();
    if (!io_ || admission_.wait_until_empty(deadline)) return;
    io_->cancel();
    interrupt_until_empty(admission_, [this] {
      const std::lock_guard lock(mutex_);
      for (const Submitter* each = submitters_; each != nullptr; each = each->next) {
        interrupt_thread(each->thread);
      }
    });
  }

  std::uint64_t in_flight() const noexcept override { return admission_.count(); }
  ModelStats stats() const override { return {{"threads", 0}, {"queue_depth", 0}}; }

 private:
  /// Lives on the submitter's own stack, so that shutdown can interrupt it.
  struct Submitter {
    pthread_t thread;
    Submitter* next;
  };

  Admission admission_;
  Job job_;
  std::unique_ptr<BlockingIo> io_;
  std::mutex mutex_;
  Submitter* submitters_ = nullptr;
};

}  // namespace

ModelInfo inline_model() {
  return {"inline",
          "runs the request in the submitting thread with blocking calls; calibrates S",
          true,
          inline_keys(),
          [](const Options& options) -> std::unique_ptr<Model> {
            return std::make_unique<InlineModel>(options);
          },
          []() -> std::optional<std::string> { return std::nullopt; }};
}

}  // namespace precipice
