// Weighted linear least squares with up to three unknowns, by normal equations.
#pragma once

#include <array>
#include <optional>

namespace precipice {

class LeastSquares {
 public:
  using Row = std::array<double, 3>;
  static constexpr unsigned kAll = 0b111;

  /// Rows are divided by `scale`, column by column, and the solution with them: columns of one
  /// magnitude keep the equations well conditioned.
  explicit LeastSquares(const Row& scale = {1, 1, 1}) : scale_(scale) {}

  void add(const Row& row, double target, double weight);
  /// The unknowns in `free` (bits), the others at 0; Gauss-Jordan without pivoting, which a
  /// positive definite matrix does not need. nullopt when a pivot is not above `singular`.
  std::optional<Row> solve(unsigned free, double singular) const;

 private:
  Row scale_;
  double equations_[3][4] = {};
};

}  // namespace precipice
