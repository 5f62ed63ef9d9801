// The shapes that service times, waits and delays can have.
#pragma once

#include <string>
#include <string_view>

#include "models/random.hpp"

namespace precipice {

/// A positive random variable, named by its shape and scaled to a mean: `fixed`, `exponential`,
/// `lognormal(cv)`, `bimodal(p,short,long)` (short and long are relative weights or durations: with
/// probability p the value is `short`, else `long`, then scaled so that the mean is the one named),
/// `pareto(alpha)` (alpha > 1; the variance is finite for alpha > 2),
/// `stragglers(cv,share,factor)` (lognormal(cv), of which a share is `factor` times as long).
/// Immutable; safe to share.
class Distribution {
 public:
  /// `fixed` with mean 1.
  Distribution() = default;
  /// Throws UsageError that names `what` and lists the shapes.
  static Distribution parse(std::string_view text, std::string_view what);

  /// A draw with mean 1; >= 0.
  double unit(Random& random) const;
  /// The inverse of the distribution function at mean 1: the value that a draw stays below with
  /// probability p, 0 < p < 1. Strictly inside the interval: the tails are unbounded.
  double quantile(double p) const;
  /// Squared coefficient of variation; infinity for pareto(alpha <= 2).
  double scv() const;
  /// As it was written.
  const std::string& to_string() const { return text_; }

 private:
  enum class Shape { fixed, exponential, lognormal, bimodal, pareto, stragglers };
  Shape shape_ = Shape::fixed;
  double a_ = 0, b_ = 0, c_ = 0, d_ = 0;  ///< of the shape, scaled to mean 1: see distribution.cpp
  std::string text_ = "fixed";
};

}  // namespace precipice
