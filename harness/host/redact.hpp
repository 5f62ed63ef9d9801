// What identifies a person, a host or a place is left out of what a run keeps.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/json.hpp"

namespace precipice {

/// Names that must not appear: each is replaced where it stands as a whole word.
struct Secrets {
  std::vector<std::string> paths;  ///< home, working directory, sources, scratch, temporary files
  std::vector<std::string> names;  ///< host and user names
  /// Of this process, from the kernel and the environment variables.
  static Secrets of_this_process();
};

/// A letter of ASCII, a digit or _: what a secret that stands as a whole word has not beside it.
bool in_word(char c);

/// `text` with the secrets replaced by (path), (name), and numeric IPv4 and IPv6 addresses by
/// (address); 127.0.0.1 and ::1 stay.
std::string without_secrets(std::string_view text, const Secrets& secrets);

/// argv as it may be published: the program's bare name, paths cut to their last part, the value
/// of --out as DIR, secrets replaced.
std::vector<std::string> anonymous_argv(const std::vector<std::string>& argv,
                                        const Secrets& secrets);

/// An environment without product, serial and container names, with only those words of the
/// kernel's command line that can change a number, and without secrets in any text.
Json anonymous_environment(Json environment, const Secrets& secrets);

/// Every text inside `json` through without_secrets; keys stay.
Json json_without_secrets(Json json, const Secrets& secrets);

}  // namespace precipice
