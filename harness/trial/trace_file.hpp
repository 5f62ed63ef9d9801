// A trace of arrival times, read from a file that somebody else's tool has written.
#pragma once

#include <istream>
#include <string>
#include <string_view>
#include <vector>

namespace precipice {

/// What the trace is called that a run's directory holds.
inline constexpr const char* kTraceName = "trace.txt";

/// One arrival time in seconds a line, ascending, at least two of them and not all equal; returns
/// them from 0 on, at a mean rate of 1. A byte order mark, blanks around a number, empty lines,
/// comments from # on and every kind of line end are read over. Throws UsageError that names file
/// and line, shows what stands there (what cannot be printed as \xff or \ufeff) and says what may
/// be meant.
std::vector<double> parse_trace(std::istream& text, std::string_view name);
/// As parse_trace, of a regular file.
std::vector<double> read_trace(const std::string& file);

}  // namespace precipice
