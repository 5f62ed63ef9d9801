// The language of a claim's `that`: one relation between two arithmetic expressions over the
// figures of a run's cells.
//
//   claim      = sum ( "<" | "<=" | ">" | ">=" ) sum
//              | sum "within" tolerance "of" sum
//   sum        = product { ( "+" | "-" ) product }
//   product    = factor { ( "*" | "/" ) factor }
//   factor     = [ "-" ] ( number | call | "(" sum ")" )
//   tolerance  = number                     10% is relative to the right side, 2ms or 5 absolute
//   number     = 0.8 | 1.5k | 10% | 5ms | 800/s | 1.2k/s
//   call       = FIGURE "(" SERIES "," WORKLOAD [ "," LOAD ] [ "," CLASS ] ")"
//   LOAD       = 0.8 | 80%  (a share of that cell's own saturation) | 800/s
//   CLASS      = the name of a class of requests: the figure is of them alone
//
// SERIES and WORKLOAD are written as on a command line, `fixed_pool:threads=64`, and the first `:`
// may be a dot, `fixed_pool.threads=64`. Inside a call a further `key=value` belongs to the name
// before it.
//
// Every expression has a dimension: a time, a rate, a plain number, or a power of those that
// multiplying made (a rate times a time is a plain number: Little's law can be written). Sums and
// relations of different dimensions are refused; a plain number beside a rate is per second.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/compare/claim_vocabulary.hpp"
#include "harness/trial/trial.hpp"

namespace precipice {

/// The offered load, of all requests, that a figure is asked at.
struct ClaimLoad {
  double value = 0;    ///< > 0
  bool share = false;  ///< of the cell's own saturation; otherwise requests per second
};

/// One node of an expression. Values are in seconds, per second, or plain.
struct ClaimNode {
  enum class Kind : std::uint8_t { number, call, negate, add, subtract, multiply, divide };
  Kind kind = Kind::number;
  std::size_t begin = 0, end = 0;   ///< its text in the claim
  int dimension = 0;                ///< the power of time: 1 a time, -1 a rate, 0 a plain number
  bool plain_number = false;        ///< made of numbers without a unit: fits a rate as well
  std::size_t left = 0, right = 0;  ///< operands, as indices into ClaimRelation::nodes
  double value = 0;                 ///< of a number
  // Of a call:
  Figure figure = Figure::saturation;
  Spec series, workload;
  std::optional<ClaimLoad> load;
  std::string of_class;  ///< "": of all requests
};

/// A claim taken apart. Nodes refer to each other by index, operands before what uses them.
struct ClaimRelation {
  enum class Kind : std::uint8_t { below, at_most, above, at_least, within };
  std::string text;
  std::vector<ClaimNode> nodes;
  std::size_t left = 0, right = 0;
  Kind kind = Kind::above;
  double tolerance = 0;             ///< within: >= 0
  bool relative_tolerance = false;  ///< a share of the right side, as against an absolute one
};

/// Longest claim in bytes, and how deep parentheses and signs may be nested.
inline constexpr std::size_t kLongestClaim = 2000;
inline constexpr int kDeepestClaim = 40;

/// Syntax and dimensions only: whether cells and classes exist is resolve_claim's question. Takes
/// any bytes; time and memory are linear in their number. Throws UsageError `at COLUMN: what is
/// wrong and what is right`, columns counted from 1.
ClaimRelation parse_claim(std::string_view text);

}  // namespace precipice
