// What the models that are shown together are called.
#pragma once

#include <string>
#include <vector>

#include "harness/trial/trial.hpp"

namespace precipice {

/// The short names of the rows that are shown together, in their order: a model that occurs once is
/// its name alone; of one that occurs more often, its name and those options in which its rows
/// differ. Where two would still be equal, both are given in full.
std::vector<std::string> series_names(const std::vector<const Spec*>& rows);

/// The same, shorter, for rows of which some have policies: models and policies by the values in
/// which they differ, `event_loop|hedged 10ms`. Where all rows are of one model its name is left
/// out, `hedged 10ms` and `no policy`, and `model` is it. Policies are what a suite calls them;
/// options that all series of a policy share are left out. Where two would be equal, the names are
/// those of series_names.
struct PolicyNames {
  std::string model;  ///< of all rows; "" where they are of several
  std::vector<std::string> names;
};
PolicyNames policy_names(const std::vector<const Spec*>& rows);

/// `fixed_pool threads=8 stack=1MiB` -> `fixed_pool 8 1MiB`.
std::string without_keys(const std::string& name);

}  // namespace precipice
