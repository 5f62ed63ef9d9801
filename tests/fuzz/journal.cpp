// A journal's lines: each alone through JSON and back, then as the journal of a run that is read
// and of one that is continued.
#include <fmt/format.h>

#include <cmath>
#include <new>
#include <nlohmann/json.hpp>

#include "harness/capacity/record.hpp"
#include "harness/host/build_info.hpp"
#include "harness/json.hpp"
#include "harness/store/histogram_json.hpp"
#include "harness/store/record_json.hpp"
#include "harness/store/run_reader.hpp"
#include "harness/store/run_store.hpp"
#include "harness/store/trial_json.hpp"
#include "tests/fuzz/property.hpp"
#include "tests/fuzz/scratch.hpp"

namespace precipice::fuzz {
namespace {

/// The journal's readers may throw any exception but those that mean that memory ran out.
template <class Read>
auto readable(Read read) -> std::optional<decltype(read())> {
  try {
    return read();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::length_error&) {
    throw;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

void check_histogram(const Histogram& histogram) {
  std::uint64_t sum = histogram.overflow();
  std::uint32_t previous = 0;
  for (const auto& [index, count] : histogram.buckets()) {
    require(count > 0 && index < Histogram::bucket_count() && index >= previous,
            "buckets ascend inside the layout");
    require(sum + count >= sum, "counts add up without wrapping");
    sum += count;
    previous = index;
  }
  require(sum == histogram.count(), "counts add up");
  require(std::isfinite(histogram.mean()) && histogram.mean() >= 0, "a mean is a number");
  require(histogram.percentile(50) <= histogram.percentile(99.9) &&
              histogram.percentile(99.9) <= histogram.max(),
          "percentiles ascend");
}

template <class Record, class Read>
void round_trip(const Record& record, Read read, std::string_view line) {
  const std::string printed = to_json(record).dump();
  const std::string same = to_json(read(Json::parse(printed))).dump();
  require(printed == same, "a line parses to itself",
          fmt::format("{}\n{}\n{}", line, printed, same));
}

void single_line(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (json.is_discarded()) return;
  if (const auto histogram = readable([&] { return histogram_from_json(json); })) {
    check_histogram(*histogram);
    require(to_json(histogram_from_json(to_json(*histogram))).dump() == to_json(*histogram).dump(),
            "a histogram parses to itself", line);
  }
  if (const auto record = readable([&] { return record_from_json(json); })) {
    check_histogram(record->trial.response_histogram);
    for (const Histogram& slice : record->trial.slices) check_histogram(slice);
    round_trip(*record, record_from_json, line);
  }
  if (const auto record = readable([&] { return calibration_from_json(json); }))
    round_trip(*record, calibration_from_json, line);
}

}  // namespace
}  // namespace precipice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace precipice;
  using namespace precipice::fuzz;
  const std::string_view text = text_of(data, size);
  int lines = 0;
  for (std::size_t begin = 0; begin < text.size() && lines < 16; ++lines) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    single_line(text.substr(begin, end - begin));
    begin = end + 1;
  }

  static const Scratch scratch;
  const std::string run = scratch.path() + "/fuzz/20260101T000000Z-0000000";
  scratch.write(
      "fuzz/20260101T000000Z-0000000/manifest.json",
      R"({"schema":1,"suite":"fuzz","suite_hash":"h","finished":false,"binary_hash":"b"})");
  scratch.write("fuzz/20260101T000000Z-0000000/journal.jsonl", text);
  std::size_t trials = 0;
  accepted([&] { return for_each_trial(run, [&](const Record&) { ++trials; }), 0; });
  RunIdentity identity;
  identity.suite = "fuzz";
  identity.suite_hash = "h";
  identity.git_sha = "0";
  identity.binary_hash = "b";
  const auto store = accepted([&] { return Store::open(scratch.path(), identity, false); });
  if (store && *store) require((*store)->directory() == run, "an unfinished run is continued");
  return 0;
}
