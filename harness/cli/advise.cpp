// precipice advise: does my model carry this load, which model would, and how many threads.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/capacity/advice_plan.hpp"
#include "harness/cli/common_options.hpp"
#include "harness/cli/preflight.hpp"
#include "harness/cli/recorded_run.hpp"
#include "harness/compare/advice.hpp"
#include "harness/json.hpp"
#include "harness/report/advice_text.hpp"
#include "harness/report/terminal.hpp"
#include "harness/report/text_style.hpp"
#include "harness/shown_text.hpp"
#include "harness/store/advice_json.hpp"
#include "harness/trial/interrupt.hpp"
#include "harness/trial/spec.hpp"
#include "models/options.hpp"

namespace precipice::cli {
namespace {

struct AdviseArguments : CommonArguments {
  std::string work, wait, waits, rate, slo, threads, budget, seed, out;
  std::string clock = "real";
  std::vector<std::string> models;
  bool force = false;
};

// Three rates have to be below what the generator offers.
constexpr double kHighestRate = kHighestRatePerS / kAdviceLoads.back();

AdviceQuestion question_from(const AdviseArguments& a) {
  AdviceQuestion question;
  question.clock = parse_clock(a.clock);
  if (!a.work.empty()) question.work = parse_varying_time(a.work, "--work");
  if (!a.wait.empty()) question.wait = parse_varying_time(a.wait, "--wait");
  if (!a.waits.empty()) {
    if (a.wait.empty()) throw UsageError("--waits says how often; give --wait as well");
    question.waits = static_cast<int>(parse_count(a.waits, "--waits", 1, 100));
  }
  question.rate_per_s = parse_rate(a.rate, "--rate", kHighestRate);
  question.slo = parse_slo(a.slo);
  if (!a.threads.empty()) {
    const std::uint64_t most = question.clock == ClockKind::real ? 100'000 : 4096;
    question.models.push_back(pool_of(question, parse_count(a.threads, "--threads", 1, most)));
  }
  for (const std::string& text : a.models) question.models.push_back(parse_model(text));
  if (!a.budget.empty()) question.budget = parse_seconds(a.budget, "--budget");
  if (!a.seed.empty()) question.seed = parse_count(a.seed, "--seed", 0, ~std::uint64_t{0});
  return question;
}

int advise(const AdviseArguments& arguments, const Words& argv) {
  const AdviceQuestion question = question_from(arguments);
  const CpuChoice cpus = choose_cpus(arguments);
  Plan plan = plan_advice(question, cpus.model.size());
  plan.generator_cpus = cpus.generator;
  plan.model_cpus = cpus.model;
  say_at_start(cpus, plan.clock);
  const RecordedRun run = record_run(plan,
                                     {.out = arguments.out,
                                      .force = arguments.force,
                                      .budget_finishes = true,
                                      .only_the_end = true},
                                     argv);
  if (run.result.interrupted) throw Interrupted("interrupted; " + run.hint);

  const Advice advice = precipice::advise(question, run.result);
  if (arguments.json) {
    const TableStyle one_line = {.width = 1 << 20, .utf8 = false};
    Json json = advice_json(advice, advice_answer(advice, one_line));
    json["directory"] = run.directory;
    print_json(json);
  } else {
    const TableStyle style = Terminal(stdout).style();
    std::string text =
        fmt::format("\n{}\n{}\n", advice_answer(advice, style), advice_table(advice, style));
    if (const std::string chart = advice_chart(advice, style); !chart.empty()) text += chart + '\n';
    text += fmt::format("files: {}\n", run.directory);
    if (advice.nothing_valid.empty())
      text += fmt::format("next:  scripts/plot.py {}\n", shell_quoted_path(run.directory));
    print_text(text);
  }
  const bool answered = advice.nothing_valid.empty() &&
                        (!advice.today || advice.models[*advice.today].meets.has_value());
  return answered ? kDone : kInvalid;
}

void add_options(OptionParser& parser, AdviseArguments& a) {
  parser.add_option(
      "--work", a.work,
      "CPU time of a request, as in 300us or with its distribution exponential(300us)");
  parser.add_option("--wait", a.wait,
                    "What a request waits for something else, as in 4ms or lognormal(0.5,4ms)");
  parser.add_option("--waits", a.waits, "Such waits one after the other (default: 1)");
  parser.add_required("--rate", a.rate, "Requests per second at the peak, as in 600 or 5k");
  parser.add_required("--slo", a.slo, "What has to hold, as in 'p99<25ms'");
  parser.add_option("--threads", a.threads, "Today's pool has so many threads");
  add_models(parser, a.models,
             "A model to measure too, or several; the first is today's unless --threads is");
  parser.add_option("--budget", a.budget,
                    "Begin no block that would end after this (default: 90s)");
  parser.add_option("--seed", a.seed, "Decides arrivals and requests (default: 1)");
  parser.add_option("--clock", a.clock,
                    "real, or virtual for queues instead of models (default: real)");
  parser.add_option("--out", a.out, "Where the run's directory goes (default: results)");
  add_force(parser, a.force);
  add_common(parser, a);
  parser.footer(
      "Examples:\n"
      "  precipice advise --work 300us --wait 4ms --rate 600 --slo 'p99<25ms' --threads 200\n"
      "  precipice advise --wait 'exponential(20ms)' --waits 2 --rate 1k --slo 'p99<200ms' \\\n"
      "      --model thread_per_request\n"
      "  precipice advise --wait 'exponential(5ms)' --rate 600 --slo 'p99<25ms' --clock virtual");
}

}  // namespace

Verb advise_verb() {
  return make_verb<AdviseArguments>(
      "advise", "Which model for my work, how many threads, what headroom", add_options, advise);
}

}  // namespace precipice::cli
