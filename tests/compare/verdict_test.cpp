#include "harness/compare/verdict.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "harness/compare/verdict_sentence.hpp"

namespace precipice {
namespace {

Estimate ok(double value, double half = 0.03) {
  return {.value = value,
          .low = value * (1 - half),
          .high = value * (1 + half),
          .reached = Reached::ok};
}
Estimate above(double value) {
  return {.value = value, .low = value, .high = kInfinity, .reached = Reached::above};
}
Estimate below(double value) {
  return {.value = value, .low = 0, .high = value, .reached = Reached::below};
}

struct Named {
  Spec model;
  Estimate cliff;
};

/// A ranking in which those pairs are alike whose letters meet, as `groups` of the rows has them;
/// bounds to the same side are undecided.
WorkloadVerdict verdict(const std::vector<Named>& rows, const std::vector<std::string>& groups,
                        int blocks = 4, Spec workload = {"cpu", {{"work", "1ms"}}}) {
  RunRanking all;
  all.blocks = blocks;
  Ranking ranking;
  ranking.workload = workload;
  ranking.figure = "cliff";
  ranking.blocks = blocks;
  for (std::size_t i = 0; i < rows.size(); ++i)
    ranking.rows.push_back({rows[i].model, rows[i].cliff, {}, groups[i]});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = i + 1; j < rows.size(); ++j) {
      Comparison c;
      const Estimate &a = rows[i].cliff, &b = rows[j].cliff;
      const bool both = a.reached == Reached::ok && b.reached == Reached::ok;
      if (both) {
        c.ratio = b.value / a.value;
        c.low = 0.9 * c.ratio;
        c.high = 1.1 * c.ratio;
      }
      const bool meet = groups[i].find_first_of(groups[j]) != std::string::npos;
      c.verdict = !meet        ? Difference::a_higher
                  : blocks < 2 ? Difference::too_few_blocks
                  : both       ? Difference::indistinguishable
                               : Difference::undecided;
      ranking.pairs.push_back(c);
    }
  }
  all.rankings = {ranking};
  CampaignResult result;
  CellSummary cell;
  cell.workload = workload;
  cell.slo_ns = 10.1e6;
  result.cells = {cell};
  return verdicts_of(result, all).front();
}

Spec pool(const char* threads) { return {"fixed_pool", {{"threads", threads}}}; }
const Spec loop{"event_loop", {}}, ring{"io_uring", {}}, stealing{"work_stealing", {}},
    threads{"thread_per_request", {}};

TEST(Verdict, ModelsThatCannotBeToldApartShareThePlace) {
  const WorkloadVerdict v = verdict({{loop, ok(760)},
                                     {ring, ok(755)},
                                     {stealing, ok(740)},
                                     {pool("64"), ok(540)},
                                     {threads, ok(464)}},
                                    {"a", "a", "a", "b", "c"});
  EXPECT_EQ(v.kind, VerdictKind::alike);
  EXPECT_EQ(v.best.size(), 3u);
  EXPECT_TRUE(v.rest[0].apart);
  EXPECT_EQ(verdict_sentence(v),
            "cpu 1ms, p99 <= 10.1ms: event_loop, io_uring, work_stealing alike (760/s +-3%); "
            "2 at 0.71x to 0.61x");
  EXPECT_EQ(verdict_sentence(v, 200),
            "cpu 1ms, p99 <= 10.1ms: event_loop, io_uring, work_stealing alike (760/s +-3%); "
            "fixed_pool 0.71x, thread_per_request 0.61x");
  EXPECT_EQ(verdict_sentence(v, 200, true).find("cpu 1ms, p99 \u2264 10.1ms: "), 0u);
}

TEST(Verdict, OneThatIsApartFromAllCarriesMost) {
  const WorkloadVerdict v =
      verdict({{ring, ok(1.61e6, 0.07)}, {loop, ok(917e3)}, {pool("8"), ok(1318)}}, {"a", "b", "c"},
              4, {"sleep", {{"wait", "5ms"}}});
  EXPECT_EQ(v.kind, VerdictKind::winner);
  EXPECT_EQ(verdict_sentence(v),
            "sleep 5ms, p99 <= 10.1ms: io_uring carries most (1.61M/s +-7%); event_loop 0.57x, "
            "fixed_pool 0.0008x");
}

TEST(Verdict, ARowBetweenTwoGroupsIsOpen) {
  const WorkloadVerdict v =
      verdict({{loop, ok(100)}, {ring, ok(95)}, {stealing, ok(93)}}, {"ab", "a", "b"});
  EXPECT_EQ(v.best.size(), 2u);
  ASSERT_EQ(v.rest.size(), 1u);
  EXPECT_FALSE(v.rest[0].apart);
  EXPECT_NE(verdict_sentence(v).find("; work_stealing 0.93x (open)"), std::string::npos);
}

TEST(Verdict, BoundsReadAsBounds) {
  const WorkloadVerdict v =
      verdict({{ring, above(35e3)}, {loop, above(34e3)}, {pool("8"), ok(337)}}, {"a", "a", "b"}, 4,
              {"rpc", {{"wait", "20ms"}}});
  EXPECT_EQ(v.kind, VerdictKind::open);
  EXPECT_EQ(verdict_sentence(v),
            "rpc 20ms, p99 <= 10.1ms: io_uring > 35.0k/s, event_loop > 34.0k/s, order open; "
            "fixed_pool < 0.01x");
  const WorkloadVerdict won = verdict({{ring, above(35e3)}, {pool("8"), ok(337)}}, {"a", "b"});
  EXPECT_EQ(won.kind, VerdictKind::winner);
  EXPECT_NE(verdict_sentence(won).find("io_uring carries most (> 35.0k/s)"), std::string::npos);
}

TEST(Verdict, OneModelOneBlockAndNoneReadWell) {
  EXPECT_EQ(verdict_sentence(verdict({{loop, ok(760)}}, {"a"})),
            "cpu 1ms, p99 <= 10.1ms: event_loop carries 760/s +-3%");
  Estimate bare = ok(760);
  bare.low = bare.high = kNaN;
  Estimate other = bare;
  other.value = 700;
  const WorkloadVerdict one = verdict({{loop, bare}, {ring, other}}, {"a", "a"}, 1);
  EXPECT_EQ(one.kind, VerdictKind::open);
  EXPECT_EQ(verdict_sentence(one),
            "cpu 1ms, p99 <= 10.1ms: event_loop 760/s, io_uring 700/s, order open (1 block)");
  EXPECT_EQ(verdict_sentence(verdict({{loop, Estimate{}}, {ring, Estimate{}}}, {"", ""})),
            "cpu 1ms, p99 <= 10.1ms: no model has a valid figure");
  EXPECT_EQ(verdict_sentence(verdict({{loop, below(20)}, {ring, below(10)}}, {"a", "a"})),
            "cpu 1ms, p99 <= 10.1ms: no model holds it at any rate tried");
  EXPECT_EQ(
      verdict_sentence(
          verdict({{loop, ok(760)}, {pool("8"), below(10)}, {ring, Estimate{}}}, {"a", "b", ""})),
      "cpu 1ms, p99 <= 10.1ms: event_loop carries 760/s +-3%; fixed_pool breaks it; io_uring not "
      "measured");
  EXPECT_NE(verdict_sentence(verdict({{loop, ok(760, 0.7)}}, {"a"})).find("760/s [228, 1292]"),
            std::string::npos);
}

Spec with(Spec model, const char* policy) {
  model.policy = policy;
  return model;
}

TEST(Verdict, PoliciesOfOneModelAreCalledByWhatTellsThemApart) {
  const Spec queue{"oracle", {{"fixed", "1ms"}, {"item", "100us"}}};
  const WorkloadVerdict v = verdict({{with(queue, "batched:linger=5ms,size=64"), ok(8000)},
                                     {with(queue, "batched:linger=5ms,size=16"), ok(5600)},
                                     {with(queue, "capped:limit=20"), ok(4000)},
                                     {queue, ok(800)}},
                                    {"a", "b", "c", "d"}, 4, {"empty", {}});
  EXPECT_EQ(verdict_sentence(v, 120),
            "oracle on empty, p99 <= 10.1ms: batched 64 carries most (8000/s +-3%); batched 16 "
            "0.70x, capped 0.50x, no policy 0.10x");
  EXPECT_EQ(verdict_sentence(v, 90),
            "oracle on empty, p99 <= 10.1ms: batched 64 carries most (8000/s +-3%); 3 at 0.70x to "
            "0.10x");
}

TEST(Verdict, PoliciesOfSeveralModelsFollowTheirNames) {
  const WorkloadVerdict v = verdict({{with(loop, "hedged:after=(a,b),budget=5%"), ok(100)},
                                     {with(pool("64"), "hedged:after=(a,b)"), ok(90)},
                                     {loop, ok(80)},
                                     {pool("8"), ok(70)}},
                                    {"a", "b", "c", "d"});
  EXPECT_EQ(verdict_sentence(v, 200),
            "cpu 1ms, p99 <= 10.1ms: event_loop|hedged 5% carries most (100/s +-3%); fixed_pool "
            "64|hedged 0.90x, event_loop 0.80x, fixed_pool 8 0.70x");
}

TEST(Verdict, APolicyStaysWholeWhereAModelIsCut) {
  const Spec queue{"oracle", {{"fixed", "1ms"}, {"item", "100us"}}},
      other{"oracle", {{"mean", "5ms"}}};
  const WorkloadVerdict v = verdict({{with(queue, "batched:size=64"), ok(100)},
                                     {with(queue, "batched:size=16"), ok(99)},
                                     {other, ok(98)},
                                     {with(other, "hedged"), ok(97)}},
                                    {"a", "a", "a", "a"}, 4, {"empty", {}});
  EXPECT_EQ(verdict_sentence(v, 75),
            "empty, p99 <= 10.1ms: oracle~|batched 64 and 3 more alike (100/s +-3%)");
}

TEST(Verdict, ANumberOfTheRestComesBeforeNamesOfAFewLetters) {
  const Spec queue{"oracle", {{"mean", "5ms"}}};
  const WorkloadVerdict v = verdict({{with(queue, "hedge:after=20ms"), ok(100)},
                                     {with(queue, "hedge:after=10ms"), ok(99)},
                                     {with(queue, "hedge:after=5ms"), ok(64)},
                                     {with(queue, "hedge:after=1ms"), ok(50)}},
                                    {"a", "a", "b", "b"}, 4, {"empty", {}});
  EXPECT_EQ(
      verdict_sentence(v, 95),
      "oracle on empty, p99 <= 10.1ms: hedge 20ms, hedge 10ms alike (100/s +-3%); 2 at 0.64x to "
      "0.50x");
  EXPECT_EQ(verdict_sentence(v, 84),
            "oracle on empty, p99 <= 10.1ms: hedge 20ms, hedge 10ms alike (100/s +-3%); 2 less");
}

TEST(Verdict, ACharacterOfAPolicyDoesNotReachTheTerminal) {
  const WorkloadVerdict v =
      verdict({{with(loop, "a\x1b[2J"), ok(100)}, {loop, ok(80)}}, {"a", "b"});
  EXPECT_EQ(verdict_sentence(v).find('\x1b'), std::string::npos);
}

TEST(Verdict, AnyNumberOfModelsAndAnyNameFitIntoALine) {
  for (const std::size_t n : {1u, 2u, 5u, 13u, 40u}) {
    for (const std::size_t alike : {1u, 2u, 7u, 40u}) {
      for (const char* name : {"x", "a_model_of_a_rather_long_name_that_somebody_chose",
                               "\u00e4\u00f6\u00fc\u00e4\u00f6\u00fc\u00e4\u00f6\u00fc"}) {
        std::vector<Named> rows;
        std::vector<std::string> groups;
        for (std::size_t i = 0; i < n; ++i) {
          rows.push_back({{name, {{"threads", std::to_string(i + 1)}, {"stack", "1MiB"}}},
                          ok(1000.0 - static_cast<double>(i))});
          groups.emplace_back(i < alike ? "a" : "b");
        }
        const WorkloadVerdict v = verdict(
            rows, groups, 4, {"mixed", {{"work", "500us"}, {"wait", "2ms"}, {"io_share", "0.5"}}});
        for (const std::size_t width : {40u, 60u, 100u}) {
          const std::string text = verdict_sentence(v, width);
          std::size_t columns = 0;
          for (const char c : text) columns += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
          EXPECT_LE(columns, width) << text;
          EXPECT_GT(columns, width / 4) << text;
          EXPECT_EQ(text.find('\n'), std::string::npos);
        }
      }
    }
  }
}

}  // namespace
}  // namespace precipice
