// precipice drive: load over sockets on a server that runs elsewhere, as one trial.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>

#include "harness/cli/campaign_hosts.hpp"
#include "harness/cli/common_options.hpp"
#include "harness/cli/preflight.hpp"
#include "harness/cli/target_options.hpp"
#include "harness/drive/drive_trial.hpp"
#include "harness/report/drive_view.hpp"
#include "harness/report/export.hpp"
#include "harness/report/hdr_log.hpp"
#include "harness/report/terminal.hpp"
#include "harness/report/trial_text.hpp"
#include "harness/store/durable_file.hpp"
#include "harness/store/line_file.hpp"
#include "harness/store/trial_json.hpp"
#include "harness/trial/interrupt.hpp"
#include "harness/trial/spec.hpp"

namespace precipice::cli {
namespace {

struct DriveArguments : TargetArguments, CommonArguments {
  std::string rate, closed, think, seconds, warmup, seed, arrivals, slo;
  std::string ndjson, hgrm, hdr_log;
};

void read_load(const DriveArguments& a, TrialRequest& r) {
  if (a.rate.empty() == a.closed.empty())
    throw UsageError("give either --rate R (open loop) or --closed N (closed loop)");
  if (!a.rate.empty()) {
    r.rate_per_s = parse_rate(a.rate, "--rate");
    if (!a.think.empty())
      throw UsageError("--think belongs to a closed loop: give it with --closed");
    return;
  }
  r.closed = parse_count(a.closed, "--closed", 1, Target::kMostConnections);
  if (!a.think.empty()) r.think = parse_seconds(a.think, "--think", true);
  if (!a.arrivals.empty())
    throw UsageError("--arrivals belongs to an open loop: give it with --rate");
}

TrialRequest request_from(const DriveArguments& a) {
  TrialRequest r;
  Target target = target_of(a);
  read_load(a, r);
  if (r.closed > 0 && a.connections.empty())
    target.connections = static_cast<std::uint32_t>(r.closed);
  check_target(target);
  r.model = Spec{target.name, {}};
  r.workload = Spec{std::string(kTargetWorkload), {}};
  r.target = std::make_shared<const Target>(std::move(target));
  r.window = std::chrono::seconds(10);
  r.warmup = std::chrono::seconds(1);
  if (!a.seconds.empty()) r.window = parse_seconds(a.seconds, "--seconds");
  if (!a.warmup.empty()) r.warmup = parse_seconds(a.warmup, "--warmup", true);
  if (!a.seed.empty()) r.seed = parse_count(a.seed, "--seed", 0, ~std::uint64_t{0});
  r.arrivals = Arrivals::parse(a.arrivals.empty() ? "poisson" : a.arrivals);
  if (!a.slo.empty()) {
    const Slo slo = parse_slo(a.slo);
    if (slo.times_service > 0)
      throw UsageError("--slo: S of a server is not known here; give a time, as in 'p99<20ms'");
    r.slo = slo.bound;
    r.slo_percentile = slo.percentile;
  }
  return r;
}

/// The seconds of the trial as they pass: on the terminal, and in the files that were asked for.
class Seconds {
 public:
  Seconds(const DriveArguments& a, const TrialRequest& request)
      : terminal_(stderr),
        warmup_s_(seconds(request.warmup)),
        length_s_(seconds(request.warmup + request.window)) {
    if (!a.ndjson.empty()) ndjson_ = std::make_unique<LineFile>(a.ndjson);
    if (!a.hdr_log.empty()) {
      hdr_log_ = std::make_unique<LineFile>(a.hdr_log);
      const auto now = std::chrono::system_clock::now().time_since_epoch();
      hdr_log_->write(hdr_log_head(std::chrono::duration<double>(now).count()));
    }
  }

  bool wanted() const { return ndjson_ || hdr_log_ || terminal_.live_room(); }
  void take(int second, const SecondTally& tally) {
    const bool warmup = second < warmup_s_;
    if (ndjson_) ndjson_->write(json_text(second_json(second, tally, warmup)) + "\n");
    if (hdr_log_ && !warmup) hdr_log_->write(hdr_log_line(second, 1, tally.responses));
    if (const auto room = terminal_.live_room())
      terminal_.live(drive_view(second, length_s_, tally, room->width));
  }
  void end() {
    terminal_.clear_live();
    if (ndjson_) ndjson_->close();
    if (hdr_log_) hdr_log_->close();
  }

 private:
  Terminal terminal_;
  std::unique_ptr<LineFile> ndjson_, hdr_log_;
  const double warmup_s_, length_s_;
};

int drive(const DriveArguments& arguments) {
  TrialRequest request = request_from(arguments);
  const CpuChoice cpus = choose_cpus(arguments);
  request.generator_cpus = cpus.generator;
  request.model_cpus = cpus.model;
  say_at_start(cpus, request.clock);
  watch_signals(true);
  Seconds shown(arguments, request);
  TrialSource source;
  if (shown.wanted()) {
    source.target_runner().set_on_second(
        [&](int second, const SecondTally& tally) { shown.take(second, tally); });
  }
  Trial result = source.measure(request);
  shown.end();
  if (const std::string cut_off = cut_off_sentence(result); !cut_off.empty())
    result.note += (result.note.empty() ? "" : "; ") + cut_off;
  if (!arguments.hgrm.empty())
    replace_file(arguments.hgrm, percentile_distribution(result.response_histogram));
  if (arguments.json)
    print_json(to_json(result));
  else
    print_text(trial_text(result));
  return result.valid ? kDone : kInvalid;
}

void add_options(OptionParser& parser, DriveArguments& a) {
  parser.add_required("--target", a.target,
                      "http://HOST:PORT/PATH, https://... or unix:/SOCKET:/PATH; {seed} in it "
                      "becomes a number of each request's own");
  parser.add_option("--rate", a.rate, "Open loop: requests offered per second, as in 5000 or 5k");
  parser.add_option("--closed", a.closed, "Closed loop: requests kept in flight, as in 64");
  parser.add_option("--think", a.think, "Closed loop: pause before the next request, as in 1ms");
  add_target(parser, a);
  parser.add_option("--seconds", a.seconds, "Length of the window, as in 60 (default: 10s)");
  parser.add_option("--warmup", a.warmup, "Discarded time before the window (default: 1s)");
  parser.add_option("--seed", a.seed, "Decides arrivals and seeds (default: 1)");
  parser.add_option("--arrivals", a.arrivals,
                    "poisson, fixed, uniform, bursts(on,off) or trace(FILE) (default: poisson)");
  parser.add_option("--slo", a.slo, "As in 'p99<10ms': what the client must be exact enough for");
  parser.add_option("--ndjson", a.ndjson, "A file that gets one line of JSON a second");
  parser.add_option("--hgrm", a.hgrm, "A file for the percentile distribution, as HdrHistogram's");
  parser.add_option("--hdr-log", a.hdr_log, "A file for HdrHistogram's log, a histogram a second");
  add_common(parser, a);
  parser.footer(
      "Response time counts from when a request was due, so a stall is charged to every request\n"
      "that it delayed. Redirections are not followed.\n"
      "Examples:\n"
      "  precipice drive --target http://127.0.0.1:8080/ --rate 20k --connections 256\n"
      "  precipice drive --target http://127.0.0.1:8080/ --closed 64 --seconds 5 --json\n"
      "  precipice drive --target 'unix:/run/app.sock:/item?id={seed}' --rate 500 --slo 'p99<5ms'");
}

}  // namespace

Verb drive_verb() {
  return make_verb<DriveArguments>("drive", "Load over sockets on a server of any kind",
                                   add_options, drive);
}

}  // namespace precipice::cli
