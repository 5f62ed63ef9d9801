// Where progress goes: one live line on a terminal, a line per finished cell anywhere.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "harness/campaign.hpp"
#include "harness/table.hpp"

namespace precipice {

/// Writes to one stream. Colours and the live line only on a terminal without NO_COLOR; characters
/// beyond ASCII only on a terminal with a UTF-8 locale. Not thread-safe.
class Terminal {
 public:
  explicit Terminal(std::FILE* stream);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  /// Replaces the live line; nothing in a pipe.
  void live(const CampaignHost::Progress& progress);
  /// A line that stays. The live line goes on below it.
  void line(std::string_view text);
  void clear_live();

  TableStyle style() const;

 private:
  std::FILE* stream_;
  bool terminal_ = false;
  bool live_ = false;
  bool colour_ = false;
  bool utf8_ = false;
};

/// "41 s", "5 min 20 s", "2 h 5 min".
std::string readable_duration(double seconds);

}  // namespace precipice
