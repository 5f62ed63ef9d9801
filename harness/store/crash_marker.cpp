#include "harness/store/crash_marker.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "harness/json.hpp"
#include "harness/trial/interrupt.hpp"

namespace precipice {

CrashMarker::CrashMarker(std::string path) : path_(std::move(path)) {
  std::ifstream file(path_, std::ios::binary);
  std::string line;
  if (std::getline(file, line)) {
    const nlohmann::json found = nlohmann::json::parse(line, nullptr, false);
    if (found.is_object()) {
      try {
        key_ = found.value("key", std::string());
        deaths_ = found.value("deaths", 0) + 1;
        crashes_ = found.value("crashes", 0);
      } catch (const nlohmann::json::exception&) {
        key_.clear();  // somebody else's text
      }
    }
    // Written by the handler of the signal, after the line.
    std::string word;
    if (!key_.empty() && file >> word >> signal_ && word == "signal") ++crashes_;
  }
  file.close();
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd_ >= 0) note_crashes_in(fd_);
}

CrashMarker::~CrashMarker() {
  if (fd_ < 0) return;
  note_crashes_in(-1);
  ::close(fd_);
  ::unlink(path_.c_str());
}

std::string CrashMarker::last_death() const {
  if (key_.empty()) return "";
  return fmt::format("the last start {} during \"{}\"",
                     signal_ > 0 ? fmt::format("crashed ({})", ::strsignal(signal_)) : "was killed",
                     key_);
}

std::string CrashMarker::begin(const std::string& key) {
  const bool again = key == key_;
  if (again && (crashes_ >= kMostCrashes || deaths_ >= kMostDeaths)) {
    const bool crashed = crashes_ >= kMostCrashes;
    return fmt::format(
        "the program {} {} times during \"{}\", so that is not tried again (a new run, with "
        "--fresh, will try)",
        crashed ? fmt::format("crashed ({})", ::strsignal(signal_ > 0 ? signal_ : SIGABRT))
                : "was killed",
        crashed ? crashes_ : deaths_, key);
  }
  if (fd_ < 0 || ::ftruncate(fd_, 0) != 0) return "";
  const std::string line =
      json_text(
          {{"key", key}, {"deaths", again ? deaths_ : 0}, {"crashes", again ? crashes_ : 0}}) +
      "\n";
  if (::write(fd_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) end();
  return "";
}

void CrashMarker::end() {
  // Where even that is refused, the next start says a trial that had ended.
  if (fd_ >= 0 && ::ftruncate(fd_, 0) != 0) return;
}

}  // namespace precipice
