// Where progress goes: a live view on a terminal, a line per finished cell anywhere.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "harness/campaign.hpp"
#include "harness/capacity_so_far.hpp"
#include "harness/table.hpp"

namespace precipice {

/// Writes to one stream. Colours and the live view only on a terminal without NO_COLOR; characters
/// beyond ASCII only on a terminal with a UTF-8 locale. Not thread-safe.
class Terminal {
 public:
  explicit Terminal(std::FILE* stream);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  /// Replaces the live view; nothing in a pipe.
  void live(const CampaignHost::Progress& progress, const CapacitySoFar& so_far);
  /// A line that stays. The live view goes on below it.
  void line(std::string_view text);
  void clear_live();

  TableStyle style() const;

 private:
  std::FILE* stream_;
  bool terminal_ = false;
  bool live_ = false;
  bool colour_ = false;
  bool utf8_ = false;
  std::size_t shown_ = 0;  ///< lines of the live view on the screen
};

/// "41 s", "5 min 20 s", "2 h 5 min".
std::string readable_duration(double seconds);

}  // namespace precipice
