// The table at the end of a campaign: what each model carries on each workload.
#pragma once

#include <string>

#include "harness/campaign.hpp"

namespace precipice {

struct TableStyle {
  int width = 100;      ///< columns of the terminal; narrower tables drop intervals first
  bool colour = false;  ///< escape sequences
  bool utf8 = true;     ///< otherwise ASCII only
};

/// One section a workload, ordered by cliff, invalid trials with their causes underneath. With
/// fewer than 9 blocks it shows an order and says that it names no winner.
std::string table(const CampaignResult& result, const TableStyle& style);

/// 12345.6 -> "12.3k": three significant digits.
std::string short_rate(double per_s);
/// 1234567 ns -> "1.23ms".
std::string short_time(double ns);

}  // namespace precipice
