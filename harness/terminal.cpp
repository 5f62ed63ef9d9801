#include "harness/terminal.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

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
  if (!live_) return;
  std::fputs("\r\033[K", stream_);
  std::fflush(stream_);
}

void Terminal::live(const CampaignHost::Progress& p) {
  if (!live_) return;
  std::string text = fmt::format("cell {}/{}  {} {}  {}", p.cell, p.cells, p.series, p.workload,
                                 to_string(p.phase));
  text += p.closed > 0 ? fmt::format("  {} in flight", p.closed)
                       : fmt::format("  {}/s", short_rate(p.rate_per_s));
  if (p.last != nullptr)
    text += fmt::format("  last p99 {}", short_time(static_cast<double>(p.last->response.p99)));
  text += fmt::format("  {} elapsed", readable_duration(p.elapsed_s));
  if (p.left_s > 0) text += fmt::format(", {} left", readable_duration(p.left_s));
  const std::size_t width = static_cast<std::size_t>(std::max(20, width_of(fileno(stream_)) - 1));
  if (text.size() > width) text.resize(width);
  std::fputs(fmt::format("\r{}\033[K", text).c_str(), stream_);
  std::fflush(stream_);
}

void Terminal::line(std::string_view text) {
  clear_live();
  // Not fmt::print, which throws: a full disk or a closed pipe under the log must not end a run.
  std::fputs(fmt::format("{}\n", text).c_str(), stream_);
  std::fflush(stream_);
}

std::string readable_duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "?";
  const auto whole = static_cast<long>(std::lround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

}  // namespace precipice
