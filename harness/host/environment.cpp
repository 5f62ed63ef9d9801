#include "harness/host/environment.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>

#include "harness/host/build_info.hpp"
#include "harness/host/machine.hpp"
#include "harness/host/redact.hpp"
#include "harness/host/wake_up.hpp"
#include "harness/json.hpp"

namespace precipice {
namespace {

std::string utc_text() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[64];
  text[std::strftime(text, sizeof text, "%FT%TZ", &utc)] = '\0';
  return text;
}

}  // namespace

Json environment_json(const EnvironmentOptions& options) {
  constexpr int kSleeps = 300;
  constexpr Nanos kLength = std::chrono::microseconds(200);
  Json json = {{"schema", kSchema}, {"anonymous", false}, {"time", utc_text()}};
  json.update(machine_json(machine_files()));
  if (utsname names{}; json["kernel"]["machine"].is_null() && uname(&names) == 0)
    json["kernel"]["machine"] = names.machine;  // /proc/sys/kernel/arch came with 6.1
  json["ticks_per_s"] = sysconf(_SC_CLK_TCK);
  json["memory"]["page_bytes"] = sysconf(_SC_PAGESIZE);
  json["timer"] = {
      {"slack_ns", json["kernel"]["timer_slack_ns"]},
      {"wake_up_error_ns",
       wake_ups_json(measure_wake_ups(options.wake_up_cpus, kSleeps, kLength), kLength)}};
  json["build"] = build_json();
  if (options.anonymous) json = anonymous_environment(std::move(json), Secrets::of_this_process());
  return json;
}

}  // namespace precipice
