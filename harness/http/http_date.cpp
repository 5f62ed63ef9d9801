#include "harness/http/http_date.hpp"

#include <cstring>

namespace precipice::http {

std::array<char, kDateBytes> format_date(std::time_t at) {
  constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  std::tm utc{};
  ::gmtime_r(&at, &utc);
  std::array<char, kDateBytes> text;
  const auto put = [&](std::size_t where, std::string_view what) {
    std::memcpy(text.data() + where, what.data(), what.size());
  };
  const auto two = [&](std::size_t where, int number) {
    text[where] = static_cast<char>('0' + number / 10 % 10);
    text[where + 1] = static_cast<char>('0' + number % 10);
  };
  put(0, kDays.substr(static_cast<std::size_t>(utc.tm_wday) * 3, 3));
  put(3, ", ");
  two(5, utc.tm_mday);
  put(7, " ");
  put(8, kMonths.substr(static_cast<std::size_t>(utc.tm_mon) * 3, 3));
  put(11, " ");
  two(12, (utc.tm_year + 1900) / 100);
  two(14, (utc.tm_year + 1900) % 100);
  put(16, " ");
  two(17, utc.tm_hour);
  put(19, ":");
  two(20, utc.tm_min);
  put(22, ":");
  two(23, utc.tm_sec);
  put(25, " GMT");
  return text;
}

std::string_view http_date() {
  struct Cached {
    std::time_t at = -1;
    std::array<char, kDateBytes> text;
  };
  thread_local Cached cached;
  // A date may be some milliseconds old: the clock that the kernel's tick moves is the cheapest.
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  if (now.tv_sec != cached.at) {
    cached.text = format_date(now.tv_sec);
    cached.at = now.tv_sec;
  }
  return {cached.text.data(), cached.text.size()};
}

}  // namespace precipice::http
