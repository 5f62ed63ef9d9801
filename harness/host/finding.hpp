// One thing about a machine that would change a number.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace precipice {

/// bad: results are wrong or mostly invalid while it is so. doubtful: results hold for this machine
/// in this state, and another state would give others. fine: looked at, nothing to do.
enum class Severity : std::uint8_t { bad, doubtful, fine };

struct Finding {
  Severity severity = Severity::fine;
  /// How far a result may be moved, in percent, roughly: it orders findings of one severity.
  double weight = 0;
  std::string what;  ///< one sentence, with its numbers
  std::string why;   ///< which result it changes, by how much, and whence that is known; "" if fine
  std::string cure;  ///< the command or the step; "" when fine or when nothing can be done
};

class Findings {
 public:
  void fine(std::string what) { list_.push_back({Severity::fine, 0, std::move(what), "", ""}); }
  void doubtful(double weight, std::string what, std::string why, std::string cure) {
    list_.push_back({Severity::doubtful, weight, std::move(what), std::move(why), std::move(cure)});
  }
  void bad(double weight, std::string what, std::string why, std::string cure) {
    list_.push_back({Severity::bad, weight, std::move(what), std::move(why), std::move(cure)});
  }
  /// Worst first; equals in the order in which they were found.
  std::vector<Finding> worst_first() &&;

 private:
  std::vector<Finding> list_;
};

}  // namespace precipice
