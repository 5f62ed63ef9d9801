#include "harness/report/advice_text.hpp"

#include <gtest/gtest.h>

#include <string>

#include "harness/trial/spec.hpp"

namespace precipice {
namespace {

Estimate between(double low, double value, double high) {
  return {.value = value, .low = low, .high = high, .reached = Reached::ok};
}

AdviceOfModel model_of(const char* text, bool meets, double p99_ms, double cliff) {
  AdviceOfModel model;
  model.model = parse_model(text);
  for (const double times : kAdviceLoads) {
    const bool holds = cliff >= times * 600;
    model.at.push_back({.rate_per_s = times * 600,
                        .percentile_ns = between(0.9e6 * p99_ms * times, 1e6 * p99_ms * times,
                                                 1.1e6 * p99_ms * times),
                        .goodput_per_s = between(590 * times, 600 * times, 610 * times),
                        .valid = true,
                        .meets = holds});
  }
  model.cliff_per_s = between(0.9 * cliff, cliff, 1.1 * cliff);
  model.headroom = between(0.9 * cliff / 600, cliff / 600, 1.1 * cliff / 600);
  model.meets = meets;
  return model;
}

/// The issue's own question, answered.
Advice example() {
  Advice advice;
  advice.question.work.mean = std::chrono::microseconds(300);
  advice.question.wait.mean = std::chrono::milliseconds(4);
  advice.question.rate_per_s = 600;
  advice.question.slo = parse_slo("p99<25ms");
  advice.slo_ns = 25e6;
  advice.blocks = 2;
  advice.models = {model_of("io_uring", true, 5.5, 2800), model_of("event_loop", true, 5.6, 2750),
                   model_of("fixed_pool:threads=200", true, 8, 1000),
                   model_of("fixed_pool:threads=3", false, 60, 520)};
  advice.today = 2;
  advice.most = 0;
  advice.alike = {1};
  advice.against = 2;
  advice.gain = between(2.2, 2.8, 3.3);
  advice.pools = {{3, false}, {200, true}};
  advice.threads = 200;
  return advice;
}

constexpr TableStyle kPlain = {.width = 100, .colour = false, .utf8 = false};

TEST(AdviceText, AnswersInFiveSentences) {
  const TableStyle wide = {.width = 1000, .utf8 = false};
  EXPECT_EQ(
      advice_answer(example(), wide),
      "today: fixed_pool threads=200 is enough: p99 8.00ms [7.20ms, 8.80ms] at 600/s; "
      "p99 <= 25.0ms holds up to 1000/s [900, 1100], 1.67 times the rate\n"
      "most: io_uring carries most under p99 <= 25.0ms: 2800/s [2520, 3080], 4.67 times "
      "the rate; event_loop cannot be told apart from it\n"
      "gain: that is 2.8 [2.2, 3.3] times what fixed_pool threads=200 does, today's "
      "(95%, 2 blocks)\n"
      "pool: 200 is the smallest size that holds, of 3 and 200 measured; 3 does not; Little's "
      "law: 2.58 busy at 600/s\n"
      "past: at 900/s (1.5x the rate asked) all but fixed_pool threads=3 meet the SLO (p99 up to "
      "90.0ms); at 1200/s (2x the rate asked) io_uring and event_loop meet the SLO, fixed_pool "
      "threads=200 and fixed_pool threads=3 do not (p99 up to 120ms)\n");
}

TEST(AdviceText, SaysWhatIsNotKnown) {
  Advice advice = example();
  advice.models[2].meets = std::nullopt;
  advice.models[3].meets = std::nullopt;
  advice.pools = {{3, std::nullopt}, {200, std::nullopt}};
  advice.threads = std::nullopt;
  advice.gain = {.value = 1.1, .reached = Reached::ok};
  const auto sentences = advice_sentences(advice);
  ASSERT_EQ(sentences.size(), 5U);
  EXPECT_NE(sentences[0].text.find("cannot be told"), std::string::npos) << sentences[0].text;
  EXPECT_NE(sentences[2].text.find("not more than chance"), std::string::npos) << sentences[2].text;
  EXPECT_NE(sentences[3].text.find("no size is shown to hold"), std::string::npos)
      << sentences[3].text;
  advice.nothing_valid = "none of the trials at these rates was valid (causes: host 12)";
  ASSERT_EQ(advice_sentences(advice).size(), 1U);
  EXPECT_NE(advice_answer(advice, kPlain).find("precipice doctor"), std::string::npos);
}

TEST(AdviceText, TheTableMarksInvalidTrialsAndKeepsToTheWidth) {
  Advice advice = example();
  for (AdviceAtRate& at : advice.models[1].at) at.valid = false;
  for (const int width : {60, 80, 100, 140}) {
    const std::string text = advice_table(advice, {.width = width, .utf8 = false}) +
                             advice_chart(advice, {.width = width, .utf8 = false}) +
                             advice_answer(advice, {.width = width, .utf8 = false});
    EXPECT_NE(text.find("~5.60ms"), std::string::npos) << text;
    EXPECT_NE(text.find("indicative"), std::string::npos) << text;
    for (std::size_t from = 0; from < text.size();) {
      const std::size_t end = text.find('\n', from);
      EXPECT_LE(end - from, static_cast<std::size_t>(width)) << text.substr(from, end - from);
      from = end + 1;
    }
  }
}

TEST(AdviceText, TheChartPlacesCliffsBesideTheRates) {
  const std::string text = advice_chart(example(), kPlain);
  const auto row = [&](const std::string& name) {
    const std::size_t at = text.find("\n  " + name);
    EXPECT_NE(at, std::string::npos) << text;
    return text.substr(at + 1, text.find('\n', at + 1) - at - 1);
  };
  // Below the rate asked, between the rates, and above all of them.
  EXPECT_LT(row("fixed_pool threads=3 ").find('o', 24), row("fixed_pool threads=3 ").find('|'));
  EXPECT_GT(row("fixed_pool threads=200").find('o', 24), row("fixed_pool threads=200").find('|'));
  EXPECT_GT(row("io_uring").find("-o-", 24), row("io_uring").rfind(':'));
}

}  // namespace
}  // namespace precipice
