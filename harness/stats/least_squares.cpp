#include "harness/stats/least_squares.hpp"

#include <algorithm>
#include <cstddef>

namespace precipice {

void LeastSquares::add(const Row& row, double target, double weight) {
  for (std::size_t r = 0; r < 3; ++r) {
    const double left = weight * row[r] / scale_[r];
    for (std::size_t c = 0; c < 3; ++c) equations_[r][c] += left * row[c] / scale_[c];
    equations_[r][3] += left * target;
  }
}

std::optional<LeastSquares::Row> LeastSquares::solve(unsigned free, double singular) const {
  const auto is_free = [&](std::size_t k) { return (free >> k & 1U) != 0; };
  double m[3][4];
  std::copy(&equations_[0][0], &equations_[0][0] + 12, &m[0][0]);
  for (std::size_t p = 0; p < 3; ++p) {
    if (!is_free(p)) continue;
    if (!(m[p][p] > singular)) return std::nullopt;
    for (std::size_t r = 0; r < 3; ++r) {
      if (r == p || !is_free(r)) continue;
      const double factor = m[r][p] / m[p][p];
      for (std::size_t c = 0; c < 4; ++c) m[r][c] -= factor * m[p][c];
    }
  }
  Row solution{};
  for (std::size_t p = 0; p < 3; ++p) {
    if (is_free(p)) solution[p] = m[p][3] / m[p][p] / scale_[p];
  }
  return solution;
}

}  // namespace precipice
