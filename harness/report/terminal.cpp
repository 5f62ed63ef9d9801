#include "harness/report/terminal.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "harness/report/text_style.hpp"
#include "harness/shown_text.hpp"

namespace precipice {
namespace {

bool set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

bool utf8_locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    if (!set(name)) continue;
    const std::string_view value = std::getenv(name);
    return value.find("UTF-8") != std::string_view::npos ||
           value.find("utf8") != std::string_view::npos;
  }
  return false;
}

int width_of(int descriptor) {
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const int columns = set("COLUMNS") ? std::atoi(std::getenv("COLUMNS")) : 0;
  return columns > 0 ? columns : 120;
}

int height_of(int descriptor) {
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_row > 0) return size.ws_row;
  const int lines = set("LINES") ? std::atoi(std::getenv("LINES")) : 0;
  return lines > 0 ? lines : 24;
}

}  // namespace

Terminal::Terminal(std::FILE* stream) : stream_(stream) {
  terminal_ = isatty(fileno(stream)) == 1;
  const char* kind = std::getenv("TERM");
  const bool dumb = kind != nullptr && std::string_view(kind) == "dumb";
  live_ = terminal_ && !dumb && !set("NO_COLOR");
  colour_ = live_;
  utf8_ = terminal_ && utf8_locale();
}

Terminal::~Terminal() { clear_live(); }

TableStyle Terminal::style() const {
  return {.width = width_of(fileno(stream_)), .colour = colour_, .utf8 = utf8_};
}

void Terminal::clear_live() {
  if (!live_ || shown_ == 0) return;
  std::string text = "\r";
  if (shown_ > 1) text += fmt::format("\033[{}A", shown_ - 1);
  std::fputs((text + "\033[J").c_str(), stream_);
  std::fflush(stream_);
  shown_ = 0;
}

std::optional<Terminal::Room> Terminal::live_room() const {
  if (!live_) return std::nullopt;
  const auto room = [](int size) { return static_cast<std::size_t>(std::max(size - 1, 1)); };
  return Room{.width = room(std::max(21, width_of(fileno(stream_)))),
              .height = room(height_of(fileno(stream_)))};
}

void Terminal::live(const std::vector<std::string>& lines) {
  if (!live_) return;
  // Written over and not cleared first, in one piece: it does not flicker.
  std::string text = "\r";
  if (shown_ > 1) text += fmt::format("\033[{}A", shown_ - 1);
  text += fmt::format("{}\033[K\033[J", fmt::join(lines, "\033[K\r\n"));
  std::fputs(text.c_str(), stream_);
  std::fflush(stream_);
  shown_ = lines.size();
}

void Terminal::line(std::string_view text) {
  clear_live();
  // Not fmt::print, which throws: a full disk or a closed pipe under the log must not end a run.
  std::fputs(fmt::format("{}\n", shown(text)).c_str(), stream_);
  std::fflush(stream_);
}

}  // namespace precipice
