// Where progress goes: a live view on a terminal, a line per finished cell anywhere.
#pragma once

#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/report/text_style.hpp"

namespace precipice {

/// Writes to one stream. Colours and the live view only on a terminal without NO_COLOR; characters
/// beyond ASCII only on a terminal with a UTF-8 locale. Not thread-safe.
class Terminal {
 public:
  explicit Terminal(std::FILE* stream);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  struct Room {
    std::size_t width = 0, height = 0;  ///< columns and lines
  };
  /// What a live view may take: one column and one row less than the terminal has, since a full
  /// line would wrap and a full screen scroll. nullopt in a pipe.
  std::optional<Room> live_room() const;
  /// Replaces the live view; nothing in a pipe.
  void live(const std::vector<std::string>& lines);
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

}  // namespace precipice
