// Text from anywhere, made fit to be looked at: a terminal obeys what a stranger's file may hold.
#pragma once

#include <string>
#include <string_view>

namespace precipice {

/// Several lines: every character that would act on a terminal instead of being seen is written
/// out. C0 and DEL as \x1b, C1 controls and marks that reorder or hide text (Unicode's
/// bidirectional controls, zero-width characters, line and paragraph separators, tags) as \u202e,
/// bytes that are no UTF-8 as \xff. Newlines and tabs stay; with `colours` so do the SGR sequences
/// that this program's tables use.
std::string shown(std::string_view text, bool colours = false);

/// The same for a name or a sentence inside a line: newlines and tabs become spaces.
std::string shown_in_line(std::string_view text);

/// One word for bash, zsh and ksh that stands for exactly these bytes: plain where nothing in it is
/// special, else in '...', and in $'...' with octal escapes where it holds what `shown` would
/// escape.
std::string shell_quoted(std::string_view word);

/// A path as one such word, with ./ before a leading '-', which would be taken for an option.
std::string shell_quoted_path(std::string_view path);

}  // namespace precipice
