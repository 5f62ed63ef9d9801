// Numbers as a person reads them, the same words everywhere.
#pragma once

#include <string>

namespace precipice {

/// 12345.6 -> "12.3k": three significant digits. "-" for NaN.
std::string short_rate(double per_s);
/// 1234567 ns -> "1.23ms". "-" for NaN.
std::string short_time(double ns);
/// A share: 0.03 -> "3.0%", 0.12 -> "12%". "-" for NaN.
std::string percent(double share);
/// "41 s", "5 min 20 s", "2 h 5 min". "?" for a negative time and NaN.
std::string readable_duration(double seconds);

}  // namespace precipice
