#include "harness/report/drive_view.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "harness/drive/failure_kind.hpp"
#include "harness/format.hpp"

namespace precipice {

Json second_json(int second, const SecondTally& tally, bool warmup) {
  const Histogram& responses = tally.responses;
  const bool known = responses.count() > 0;
  Json failed = Json::object();
  for (std::size_t kind = 0; kind < tally.failed.size(); ++kind) {
    if (tally.failed[kind] > 0)
      failed[std::string(to_string(static_cast<FailureKind>(kind)))] = tally.failed[kind];
  }
  return {{"second", second},
          {"warmup", warmup},
          {"completed", tally.completed},
          {"shed", tally.shed},
          {"failed", failed},
          {"p50_ns", known ? Json(responses.percentile(50)) : Json(nullptr)},
          {"p99_ns", known ? Json(responses.percentile(99)) : Json(nullptr)},
          {"max_ns", known ? Json(responses.max()) : Json(nullptr)}};
}

std::vector<std::string> drive_view(int second, double length_s, const SecondTally& tally,
                                    std::size_t width) {
  const auto time = [&](double percentile) {
    return tally.responses.count() == 0
               ? std::string("-")
               : short_time(static_cast<double>(tally.responses.percentile(percentile)));
  };
  std::string line = fmt::format("{} s of {:.0f}  {}/s  p50 {}  p99 {}  errors {}", second + 1,
                                 length_s, short_rate(static_cast<double>(tally.completed)),
                                 time(50), time(99), tally.failures());
  if (tally.shed > 0) line += fmt::format("  shed {}", tally.shed);
  if (line.size() > width) line.resize(width);
  return {line};
}

}  // namespace precipice
