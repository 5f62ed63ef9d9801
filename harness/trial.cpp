#include "harness/trial.hpp"

namespace precipice {

double Trial::loss() const {
  if (counts.scheduled == 0) return 0;
  return static_cast<double>(counts.shed + counts.failed + counts.unfinished) /
         static_cast<double>(counts.scheduled);
}

}  // namespace precipice
