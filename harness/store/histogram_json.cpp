#include "harness/store/histogram_json.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>
#include <vector>

#include "harness/store/json_fields.hpp"

namespace precipice {
namespace {

// Of one histogram; thousands can be merged before their sum wraps.
constexpr std::uint64_t kMostCounted = std::uint64_t{1} << 48;

}  // namespace

Json to_json(const Histogram& histogram) {
  Json buckets = Json::array();
  std::uint32_t previous = 0;
  for (const auto& [index, count] : histogram.buckets()) {
    buckets.push_back(index - previous);
    buckets.push_back(count);
    previous = index;
  }
  return {{"overflow", histogram.overflow()}, {"buckets", std::move(buckets)}};
}

Histogram histogram_from_json(const Json& json) {
  const Json& flat = json.at("buckets");
  if (flat.size() % 2 != 0) throw std::runtime_error("a histogram has an odd number of entries");
  std::vector<std::pair<std::uint32_t, std::uint64_t>> buckets;
  const auto overflow = whole<std::uint64_t>(json.at("overflow"));
  std::uint64_t index = 0, total = overflow;
  for (std::size_t i = 0; i < flat.size(); i += 2) {
    index += whole<std::uint32_t>(flat[i]);
    if (index >= Histogram::bucket_count())
      throw std::runtime_error("a histogram has a bucket beyond its layout");
    const auto count = whole<std::uint64_t>(flat[i + 1]);
    if (total > kMostCounted || count > kMostCounted - total)
      throw std::runtime_error("a histogram counts more than any run can hold");
    total += count;
    buckets.emplace_back(static_cast<std::uint32_t>(index), count);
  }
  if (total > kMostCounted)
    throw std::runtime_error("a histogram counts more than any run can hold");
  return Histogram::from_buckets(buckets, overflow);
}

Histogram coarsened(const Histogram& histogram) {
  constexpr int kBits = 5;
  Histogram coarse;
  for (const auto& [index, count] : histogram.buckets()) {
    const auto [low, high] = Histogram::bounds(index);
    const auto value = static_cast<std::uint64_t>(low + (high - low) / 2);
    const int shift = std::max(0, static_cast<int>(std::bit_width(value)) - 1 - kBits);
    const std::uint64_t step = std::uint64_t{1} << shift;
    coarse.record(static_cast<std::int64_t>((value & ~(step - 1)) + step / 2), count);
  }
  coarse.merge(Histogram::from_buckets({}, histogram.overflow()));
  return coarse;
}

}  // namespace precipice
