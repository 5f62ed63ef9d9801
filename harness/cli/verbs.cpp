// The table of verbs. Each is in the file of its name.
#include "harness/cli/verb.hpp"

namespace precipice::cli {

Verb doctor_verb();
Verb list_verb();
Verb trial_verb();
Verb capacity_verb();
Verb drive_verb();
Verb advise_verb();
Verb run_verb();
Verb check_verb();
Verb compare_verb();
Verb export_verb();
Verb show_verb();
Verb bundle_verb();
Verb serve_verb();
Verb completion_verb();
Verb complete_verb();

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> all = {
      doctor_verb(), list_verb(),   trial_verb(),  capacity_verb(),   drive_verb(),
      serve_verb(),  advise_verb(), run_verb(),    check_verb(),      compare_verb(),
      export_verb(), show_verb(),   bundle_verb(), completion_verb(), complete_verb()};
  return all;
}

}  // namespace precipice::cli
