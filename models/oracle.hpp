// What the analytic queue is: the settings that its real-time model and its simulation on the
// virtual clock share, so that both draw the same service times for the same requests.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "models/distribution.hpp"
#include "models/model.hpp"
#include "models/options.hpp"
#include "models/request.hpp"

namespace precipice {

struct OracleSettings {
  enum class Discipline : std::uint8_t {
    fcfs,          ///< one queue before all servers, in order of arrival
    ps,            ///< processor sharing: n requests share the servers equally, at most one each
    random_split,  ///< a queue per server, chosen at random for every request
  };

  unsigned servers = 1;
  Distribution service;
  Nanos mean{0};
  Nanos fixed{0}, item{0};  ///< the parts of `mean`, if it was given in parts
  unsigned stages = 1;      ///< queues in a row, each with `servers`
  /// Before each stage, at most one of them: a flush timer that the first request to come starts,
  /// or ticks that let pass what has come.
  Nanos linger{0}, tick{0};
  Discipline discipline = Discipline::fcfs;
  std::uint64_t capacity = 0;  ///< in the system; 0 = unlimited
  std::uint64_t in_flight_limit = 0;
  Nanos stall_at{0};  ///< from the start of the window
  Nanos stall_for{0};
  Nanos window_offset{0};  ///< from the first intended arrival to the start of the window

  bool in_parts() const { return fixed + item > Nanos(0); }
  bool staged() const { return stages > 1 || linger + tick > Nanos(0); }
  /// What a request takes on average that finds no other: services and buffers of all stages.
  Nanos total() const { return static_cast<std::int64_t>(stages) * (mean + linger + tick / 2); }
  /// Throws UsageError.
  static OracleSettings read(const Options& options);
  /// Service time of an attempt at a stage in ns: drawn by the request's id and seed, the attempt
  /// and the stage.
  double service_ns(const Request& request, unsigned stage = 0) const;
  /// The server that random_split sends it to.
  unsigned server_of(std::uint64_t id, std::uint64_t seed) const;
};

/// A pause of all servers, as a change of clock: work time stands still during it.
struct Stall {
  double begin_ns = 0;
  double length_ns = 0;

  double work_time(double wall_ns) const {
    if (wall_ns <= begin_ns) return wall_ns;
    return wall_ns < begin_ns + length_ns ? begin_ns : wall_ns - length_ns;
  }
  /// When work that ends at this work time ends on the wall: before the pause if it just can.
  double end_time(double work_ns) const {
    return work_ns <= begin_ns ? work_ns : work_ns + length_ns;
  }
  /// When work that begins at this work time begins on the wall: not while all stand still.
  double begin_time(double work_ns) const {
    return work_ns < begin_ns ? work_ns : work_ns + length_ns;
  }
};

const std::vector<OptionKey>& oracle_keys();
/// Of what a user gave for the keys. Throws UsageError.
OracleSettings oracle_settings(const std::map<std::string, std::string>& given);
ModelInfo oracle_model();

}  // namespace precipice
