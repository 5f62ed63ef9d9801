// A whole run's directory without what identifies its people, hosts and places: for double-blind
// review.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/host/redact.hpp"

namespace precipice {

/// The secrets of a run that may have been made elsewhere: those of this process, the caller's name
/// by the password file and by git, git's remotes, the commit, users whose home directories its
/// files name, and `hidden`, words of the caller's choice. The superuser's name is none.
Secrets secrets_of_run(const std::string& directory, const std::vector<std::string>& hidden);

/// Free text: secrets, addresses and e-mail addresses, and every path of two parts or more but
/// those of /dev, /proc and /sys, become (name), (address) and (path); `trace(FILE)` becomes
/// trace(trace.txt).
std::string anonymous_text(std::string_view text, const Secrets& secrets);

/// Whether one of the secrets still stands in `bytes` as a whole word; in what is compressed or
/// minified, where a short word stands by chance, one of four characters or more.
bool holds_secret(std::string_view bytes, const Secrets& secrets);

/// Writes `file` of a run, as `name` names it there, to `to` without secrets. False: left out,
/// because what it holds cannot be cleaned.
bool write_anonymous(const std::string& file, const std::string& name, const std::string& to,
                     const Secrets& secrets);

}  // namespace precipice
