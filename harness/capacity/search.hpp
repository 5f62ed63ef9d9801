// Where to measure next: a pure state machine. Points in, next point out; it knows no clock, no
// model and no closed form.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/capacity/point.hpp"
#include "harness/capacity/twin.hpp"

namespace precipice {

struct SearchOptions {
  double slo_ns = 0;
  double slo_percentile = 99;
  double first_rate_per_s = 0;    ///< where to begin when there is no plateau (0: from the plateau)
  double highest_rate_per_s = 0;  ///< what the generator can offer; 0 = unknown
  double lowest_rate_per_s = 0;
  std::uint64_t first_closed = 1;
  std::uint64_t highest_closed = 1u << 20;
  /// A larger N is not tried where a loop of it would need longer than this to turn over once, at
  /// the highest goodput so far: none of its requests would begin and end in a window. 0: no limit.
  double longest_turn_s = 0;
  double plateau_growth = 0.05;  ///< stop when goodput grows by less, twice running
  int least_sweep = 0;           ///< and not before so many N, where highest_closed allows them
  double coarse_ratio = 1.08;    ///< bisection ends when high / low is below this
  std::vector<double> refine = {0.80, 0.86, 0.92, 0.98, 1.05, 1.14};  ///< times the coarse value
  std::vector<double> overload = {1.2, 1.5};                          ///< times the plateau
  std::vector<double> grid = {0.1, 0.3, 0.5, 0.7};                    ///< times the coarse value
  bool grid_every_block = true;  ///< else the first block alone
  std::vector<double> rates;     ///< per second, of the phase `grid`, in every block
  /// Times the plateau; kept where they lie above the coarse value and 2% from every other rate.
  /// They bracket the looser cliffs (20xS), and a cliff just below saturation. None by default,
  /// since each costs a trial in every block; {0.8, 0.92, 0.97, 0.99} where trials are cheap.
  std::vector<double> towards_plateau;
  double max_loss = kMaxLossDefault;
  /// Says where the crossing is to be expected; null: nothing does.
  std::shared_ptr<const Twin> twin;
  std::uint64_t seed = 1;  ///< for the order inside a block
};

/// The next thing to measure.
struct Probe {
  Phase phase = Phase::plateau;
  std::uint64_t closed = 0;  ///< > 0: closed loop with this N
  double rate_per_s = 0;     ///< > 0: open loop at this rate
  /// Which of its block's sequences of arrivals it plays: the rates of a block have one each, so
  /// that a fit through them averages over their luck; models share them.
  int sequence = 0;
};

class Search {
 public:
  explicit Search(SearchOptions options);
  /// Plateau, then coarse: nullopt when both are done. Every call is answered by one add(). At most
  /// kMostProbes probes, whatever the answers are.
  std::optional<Probe> next();
  /// The result of the last probe, valid or given up on after repeats. An invalid one is unknown,
  /// neither pass nor fail: the rate is nudged, and after a few in a row the phase ends with what
  /// is known.
  void add(const Point& point);

  /// After next() has answered nullopt: the geometric mean of the highest rate known to meet the
  /// SLO and the lowest known not to; where only one of them is known, that one; 0 when nothing is.
  double coarse_rate_per_s() const;
  /// A rate that meets the SLO is known, and one that does not.
  bool bracketed() const { return pass_ > 0 && fail_ < kUnknown; }
  /// 0 when no plateau trial was valid.
  double plateau_per_s() const { return plateau_; }
  /// A point of a block. The coarse value rests on one short sequence of requests, whose own
  /// crossing can lie 15% off; what the blocks so far show together moves the refining rates of the
  /// next, so that they surround the cliff.
  void learn(const Point& point);
  /// What lies beyond the cliff and far below it is known well enough: further blocks go to the
  /// rates that place the cliff.
  void settle() { settled_ = true; }
  /// The rates of one refining block in random order: those named, refine, overload, grid, and from
  /// the second block on the closed loop of the plateau. Rates that the generator cannot offer, and
  /// those that are as good as one before them, are left out. A refining rate near one that has
  /// been measured takes its place, so that blocks can be merged.
  std::vector<Probe> block(int index) const;

  static constexpr int kMostProbes = 64;

 private:
  static constexpr double kUnknown = std::numeric_limits<double>::infinity();

  bool meets_slo(const Point& point) const;
  void add_plateau(const Point& point);
  void add_failing(const Point& point);
  double next_of_dip() const;
  void add_coarse(const Point& point);
  double start_rate() const;
  double expected() const;
  double centre() const;
  std::optional<double> coarse_candidate() const;

  SearchOptions options_;
  Phase phase_ = Phase::plateau;
  bool done_ = false, settled_ = false;
  int probes_ = 0;
  int invalid_in_a_row_ = 0;

  std::uint64_t closed_;
  double plateau_ = 0;
  std::uint64_t plateau_closed_ = 0;  ///< the N that reached it
  int flat_in_a_row_ = 0;
  int swept_ = 0;  ///< values of N with a valid trial

  double pass_ = 0;             ///< highest rate that met the SLO; 0 = none
  double fail_ = kUnknown;      ///< lowest that did not
  double too_fast_ = kUnknown;  ///< lowest that the generator could not offer
  int steps_up_ = 0, steps_down_ = 0;
  double asked_ = 0;
  int given_up_ = 0;  ///< times that a rate showed nothing and a much lower one was tried
  /// Latency can fall with the rate and rise again (batches that fill, caches that warm up). Where
  /// a lower rate fails by no less than a higher one did, the search looks around the least latency
  /// among all that failed, once.
  enum class Dip : std::uint8_t { not_seen, looking, done };
  Dip dip_ = Dip::not_seen;
  int looked_ = 0;
  std::map<double, double> failing_;  ///< percentile by rate; infinite where it is not stable

  std::vector<Point> learned_;    ///< of blocks: valid ones of open loops
  std::vector<Point> of_coarse_;  ///< of the coarse search: likewise
};

}  // namespace precipice
