#include "harness/report/advice_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "harness/format.hpp"
#include "harness/report/estimate_text.hpp"
#include "harness/report/series_names.hpp"
#include "harness/report/text_table.hpp"
#include "harness/shown_text.hpp"
#include "harness/trial/spec.hpp"

namespace precipice {
namespace {

using Names = std::vector<std::string>;

Names names_of(const Advice& advice) {
  std::vector<const Spec*> models;
  for (const AdviceOfModel& model : advice.models) models.push_back(&model.model);
  return series_names(models);
}

bool known(const Estimate& estimate) {
  return estimate.reached != Reached::unmeasured && std::isfinite(estimate.value);
}

std::string rate_of(double per_s) { return short_rate(per_s) + "/s"; }

std::string slo_text(const Advice& advice) {
  return fmt::format("p{:g} <= {}", advice.question.slo.percentile, short_time(advice.slo_ns));
}

std::string percentile_name(const Advice& advice) {
  return fmt::format("p{:g}", advice.question.slo.percentile);
}

/// "7.9ms [7.1ms, 8.8ms]"
std::string time_text(const Estimate& e, bool interval) {
  std::string text = std::string(bound_mark(e)) + short_time(e.value);
  if (interval && e.reached == Reached::ok && std::isfinite(e.low)) {
    text += fmt::format(" [{}, {}]", short_time(e.low),
                        std::isfinite(e.high) ? short_time(e.high) : "?");
  }
  return text;
}

/// "2100/s [1900, 2300]"
std::string cliff_text(const Estimate& e) {
  std::string text = std::string(bound_mark(e)) + rate_of(e.value);
  if (e.reached == Reached::ok && std::isfinite(e.low) && std::isfinite(e.high))
    text += fmt::format(" [{}, {}]", short_rate(e.low), short_rate(e.high));
  return text;
}

/// "3.52" or "3.5 [3.1, 4.0]".
std::string times_text(const Estimate& e, bool interval) {
  const auto digits = [](double value) {
    return value < 99.95 ? fmt::format("{:.3g}", value) : fmt::format("{:.0f}", value);
  };
  std::string text = std::string(bound_mark(e)) + digits(e.value);
  if (interval && std::isfinite(e.low) && std::isfinite(e.high))
    text += fmt::format(" [{}, {}]", digits(e.low), digits(e.high));
  return text;
}

std::string joined(const Names& names) {
  if (names.size() < 2) return names.empty() ? "" : names.front();
  return fmt::format("{} and {}", fmt::join(names.begin(), names.end() - 1, ", "), names.back());
}

std::string at_rate_text(const Advice& advice, const AdviceAtRate& at) {
  if (!known(at.percentile_ns)) return fmt::format("no trial at {}", rate_of(at.rate_per_s));
  return fmt::format("{} {} at {}{}", percentile_name(advice), time_text(at.percentile_ns, true),
                     rate_of(at.rate_per_s), at.valid ? "" : " in invalid trials");
}

/// "p99 7.9ms at 600/s; p99 <= 25ms holds up to 2100/s, 3.5 times the rate"
std::string evidence(const Advice& advice, const AdviceOfModel& model) {
  std::string text = at_rate_text(advice, model.at.front());
  if (known(model.cliff_per_s)) {
    text += fmt::format("; {} holds up to {}, {} times the rate", slo_text(advice),
                        cliff_text(model.cliff_per_s), times_text(model.headroom, false));
  }
  return text;
}

AdviceSentence of_today(const Advice& advice, const Names& names) {
  const std::string slo = slo_text(advice), rate = rate_of(advice.question.rate_per_s);
  if (!advice.today) {
    Names holding;
    int untold = 0;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (advice.models[i].meets == true) holding.push_back(names[i]);
      untold += advice.models[i].meets ? 0 : 1;
    }
    std::string text =
        fmt::format("no model is named as today's; of {} measured, {} {} {} at {}", names.size(),
                    holding.empty() ? "none" : joined(holding),
                    holding.size() == 1 || holding.empty() ? "meets" : "meet", slo, rate);
    if (untold > 0) text += fmt::format(", of {} it cannot be told", untold);
    return {"today", text};
  }
  const AdviceOfModel& today = advice.models[*advice.today];
  const std::string& name = names[*advice.today];
  if (!today.failure.empty())
    return {"today", fmt::format("{} was not measured: {}", name, shown_in_line(today.failure))};
  if (!today.meets) {
    return {"today", fmt::format("whether {} is enough cannot be told ({}); a longer --budget may "
                                 "tell",
                                 name, evidence(advice, today))};
  }
  return {"today", fmt::format("{} is {}: {}", name, *today.meets ? "enough" : "not enough",
                               evidence(advice, today))};
}

AdviceSentence of_most(const Advice& advice, const Names& names) {
  if (!advice.most) return {"most", "no model has a cliff, so none can be named"};
  const AdviceOfModel& most = advice.models[*advice.most];
  std::string text =
      fmt::format("{} carries most under {}: {}, {} times the rate", names[*advice.most],
                  slo_text(advice), cliff_text(most.cliff_per_s), times_text(most.headroom, false));
  Names alike;
  for (const std::size_t i : advice.alike) alike.push_back(names[i]);
  if (!alike.empty()) text += fmt::format("; {} cannot be told apart from it", joined(alike));
  return {"most", text};
}

AdviceSentence of_gain(const Advice& advice, const Names& names) {
  const std::string sure =
      fmt::format(" (95%, {} block{})", advice.blocks, advice.blocks == 1 ? "" : "s");
  if (!advice.most) return {"gain", "not known"};
  const bool is_today = advice.today == advice.most;
  if (!advice.against) {
    return {"gain", fmt::format("{}no other model is shown to carry less{}",
                                is_today ? "it is today's, and " : "", sure)};
  }
  const std::string other = fmt::format("{}{}", names[*advice.against],
                                        advice.today == advice.against ? " does, today's"
                                        : is_today                     ? " does, and it is today's"
                                                                       : " does");
  if (advice.gain.low > 1) {
    return {"gain",
            fmt::format("that is {} times what {}{}", times_text(advice.gain, true), other, sure)};
  }
  if (!known(advice.gain))
    return {"gain",
            fmt::format("not known against {}, which has no cliff here", names[*advice.against])};
  return {"gain", fmt::format("that is {} times what {}, which is not more than chance can do{}",
                              times_text(advice.gain, false), other, sure)};
}

AdviceSentence of_pool(const Advice& advice) {
  const double busy = busy_at_rate(advice.question);
  const std::string little =
      fmt::format("; Little's law: {:.3g} busy at {}", busy, rate_of(advice.question.rate_per_s));
  if (advice.pools.empty()) return {"pool", "no pool was measured" + (busy > 0 ? little : "")};
  Names failing, untold, all;
  for (const AdvicePool& pool : advice.pools) {
    const std::string size = fmt::format("{}", pool.size);
    if (std::find(all.begin(), all.end(), size) == all.end()) all.push_back(size);
    if (pool.meets == false) failing.push_back(size);
    if (!pool.meets && (!advice.threads || pool.size < *advice.threads)) untold.push_back(size);
  }
  std::string text;
  if (advice.threads) {
    text = fmt::format("{} is the smallest size that holds, of {} measured", *advice.threads,
                       joined(all));
    std::erase_if(failing,
                  [&](const std::string& size) { return std::stoull(size) >= *advice.threads; });
    if (!failing.empty())
      text += fmt::format("; {} {} not", joined(failing), failing.size() == 1 ? "does" : "do");
  } else {
    text = fmt::format("no size is shown to hold, of {} measured", joined(all));
  }
  if (!untold.empty()) text += fmt::format("; of {} it cannot be told", joined(untold));
  return {"pool", text + little};
}

std::string past_rate(const Advice& advice, const Names& names, std::size_t which) {
  Names meeting, breaking, untold;
  const AdviceAtRate* worst = nullptr;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const AdviceAtRate& at = advice.models[i].at[which];
    (!at.meets ? untold : *at.meets ? meeting : breaking).push_back(names[i]);
    if (at.meets == false && known(at.percentile_ns) &&
        (worst == nullptr || at.percentile_ns.value > worst->percentile_ns.value))
      worst = &at;
  }
  const std::string at =
      fmt::format("at {} ({:g}x the rate asked) ",
                  rate_of(advice.models.front().at[which].rate_per_s), kAdviceLoads[which]);
  if (untold.size() == names.size()) return at + "it cannot be told";
  std::string text;
  if (meeting.size() == names.size()) {
    text = "all meet the SLO";
  } else if (meeting.empty()) {
    text = "none is shown to meet the SLO";
  } else if (untold.empty() && breaking.size() < meeting.size()) {
    text = fmt::format("all but {} meet the SLO", joined(breaking));
  } else {
    text = fmt::format("{} {} the SLO", joined(meeting), meeting.size() == 1 ? "meets" : "meet");
    if (!breaking.empty())
      text += fmt::format(", {} {} not", joined(breaking), breaking.size() == 1 ? "does" : "do");
  }
  if (worst != nullptr) {
    const bool bound = worst->percentile_ns.reached == Reached::above;
    text += fmt::format(" ({} {} {})", percentile_name(advice), bound ? "past" : "up to",
                        short_time(worst->percentile_ns.value));
  }
  if (!untold.empty()) text += fmt::format(", of {} it cannot be told", joined(untold));
  return at + text;
}

std::string cell_text(const AdviceAtRate& at, bool interval, const TableStyle& style) {
  if (!known(at.percentile_ns)) return dash(style);
  const std::string text = time_text(at.percentile_ns, interval && at.valid);
  return at.valid ? text : '~' + text;
}

std::string rate_header(const Advice& advice, const AdviceAtRate& at) {
  return fmt::format("{} at {}", percentile_name(advice), rate_of(at.rate_per_s));
}

const char* verdict_text(const std::optional<bool>& meets) {
  return !meets ? "?" : *meets ? "yes" : "no";
}

TextTable rows(const Advice& advice, const Names& names, int detail, const TableStyle& style) {
  std::vector<std::string> header = {"model", "meets"};
  for (const AdviceAtRate& at : advice.models.front().at) header.push_back(rate_header(advice, at));
  header.insert(header.end(), {"cliff/s", "headroom"});
  TextTable table(header);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const AdviceOfModel& model = advice.models[i];
    std::vector<std::string> row = {names[i] + (advice.today == i ? " (today)" : ""),
                                    verdict_text(model.meets)};
    for (std::size_t which = 0; which < model.at.size(); ++which)
      row.push_back(cell_text(model.at[which], detail >= (which == 0 ? 2 : 3), style));
    row.push_back(rate_text(model.cliff_per_s, detail >= 1, style));
    row.push_back(known(model.headroom) ? times_text(model.headroom, false) + "x" : dash(style));
    table.row(std::move(row));
  }
  return table;
}

}  // namespace

std::vector<AdviceSentence> advice_sentences(const Advice& advice) {
  if (!advice.nothing_valid.empty() || advice.models.empty()) {
    return {
        {"none", fmt::format("no answer: {}; stop what else runs on this machine, see precipice "
                             "doctor, and ask again",
                             shown_in_line(advice.nothing_valid))}};
  }
  const Names names = names_of(advice);
  std::string past;
  for (std::size_t which = 1; which < kAdviceLoads.size(); ++which)
    past += (past.empty() ? "" : "; ") + past_rate(advice, names, which);
  return {of_today(advice, names),
          of_most(advice, names),
          of_gain(advice, names),
          of_pool(advice),
          {"past", past}};
}

std::string advice_answer(const Advice& advice, const TableStyle& style) {
  std::string text;
  for (const AdviceSentence& sentence : advice_sentences(advice))
    text += wrapped(fmt::format("{}: {}", sentence.topic, sentence.text), style, 2);
  return text;
}

std::string advice_table(const Advice& advice, const TableStyle& style) {
  if (advice.models.empty()) return "";
  const Names names = names_of(advice);
  const auto room = static_cast<std::size_t>(std::max(style.width, 1));
  int detail = 3;
  TextTable table = rows(advice, names, detail, style);
  while (detail > 0 && table.width() > room) table = rows(advice, names, --detail, style);
  // What is read least goes first.
  Names columns = {"headroom"};
  for (const std::size_t which : {1, 2, 0})
    columns.push_back(rate_header(advice, advice.models.front().at[which]));
  for (const std::string& header : columns) {
    if (table.least_width() > room) table.drop(header);
  }
  const bool nothing = !advice.nothing_valid.empty();
  if (nothing) {  // a column of dashes each
    for (const char* header : {"meets", "cliff/s", "headroom"}) table.drop(header);
  }
  table.shorten_names(style, 8);
  std::string text = table.text(style);
  const bool indicative =
      std::any_of(advice.models.begin(), advice.models.end(), [](const AdviceOfModel& model) {
        return std::any_of(model.at.begin(), model.at.end(), [](const AdviceAtRate& at) {
          return !at.valid && known(at.percentile_ns);
        });
      });
  const std::string rate = rate_of(advice.question.rate_per_s);
  if (!nothing)
    text +=
        wrapped(fmt::format("meets: {} at {}. cliff/s: the highest rate that does; headroom: as "
                            "a multiple of {}.",
                            slo_text(advice), rate, rate),
                style);
  if (indicative)
    text += wrapped(
        "~: from invalid trials only: indicative, as a disturbed machine makes a model look worse, "
        "never better.",
        style);
  // Where nothing was valid the answer says why.
  for (std::size_t i = 0; i < names.size() && !nothing; ++i) {
    if (!advice.models[i].failure.empty())
      text += wrapped(fmt::format("  {}: {}", names[i], shown_in_line(advice.models[i].failure)),
                      style, 4);
  }
  return text;
}

std::string advice_chart(const Advice& advice, const TableStyle& style) {
  double low = advice.question.rate_per_s, high = kAdviceLoads.back() * low;
  std::size_t longest = 0;
  bool any = false;
  const Names names = names_of(advice);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Estimate& cliff = advice.models[i].cliff_per_s;
    if (!known(cliff)) continue;
    any = true;
    longest = std::max(longest, columns(names[i]));
    for (const double each : {cliff.value, cliff.low, cliff.high}) {
      if (!(each > 0) || !std::isfinite(each)) continue;
      low = std::min(low, each);
      high = std::max(high, each);
    }
  }
  if (!any) return "";
  low /= 1.1;
  high *= 1.1;
  constexpr std::size_t kLeast = 20, kMost = 72, kLongestName = 30;
  const auto room = static_cast<std::size_t>(std::max(style.width, 40)) - 4;
  longest = std::min({longest, kLongestName, room - kLeast});
  const std::size_t width = std::min(kMost, room - longest);
  const auto column = [&](double rate) {
    const double share = std::log(rate / low) / std::log(high / low);
    return std::min(width - 1,
                    static_cast<std::size_t>(std::max(0.0, share) * static_cast<double>(width)));
  };
  const char *line = style.utf8 ? "─" : "-", *dot = style.utf8 ? "●" : "o",
             *asked = style.utf8 ? "│" : "|", *times = style.utf8 ? "┊" : ":";
  std::string text = wrapped(
      fmt::format("cliffs ({} with the 95% interval {}) beside the rate asked ({} {}) and {:g} and "
                  "{:g} times it ({}); from {} to {}, logarithmic",
                  dot, line, asked, rate_of(advice.question.rate_per_s), kAdviceLoads[1],
                  kAdviceLoads[2], times, rate_of(low), rate_of(high)),
      style, 2);
  const Names fitted = fitted_names(names, longest, style);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Estimate& cliff = advice.models[i].cliff_per_s;
    if (!known(cliff)) continue;
    std::vector<std::string> cells(width, " ");
    for (std::size_t which = kAdviceLoads.size(); which-- > 0;)
      cells[column(kAdviceLoads[which] * advice.question.rate_per_s)] = which == 0 ? asked : times;
    if (cliff.reached == Reached::ok && std::isfinite(cliff.low) && std::isfinite(cliff.high))
      for (std::size_t at = column(cliff.low); at <= column(cliff.high); ++at) cells[at] = line;
    cells[column(cliff.value)] = cliff.reached == Reached::above   ? ">"
                                 : cliff.reached == Reached::below ? "<"
                                                                   : dot;
    std::string row = fmt::format("  {:<{}}  {}", fitted[i], longest, fmt::join(cells, ""));
    row.erase(row.find_last_not_of(' ') + 1);
    text += row + '\n';
  }
  return text;
}

}  // namespace precipice
