// HdrHistogram's log: one histogram a line in its V2 encoding, as its own tools read it.
#pragma once

#include <cstdint>
#include <string>

#include "harness/stats/histogram.hpp"

namespace precipice {

/// "HISTF...": the compressed V2 encoding in base 64 (HdrHistogram,
/// encodeIntoCompressedByteBuffer). The compression is a zlib stream (RFC 1950) of stored blocks,
/// which every reader inflates. Values are nanoseconds; those past Histogram::kHighest are left
/// out, since the layout has no place for them. Pure.
std::string hdr_base64(const Histogram& histogram);

/// What a log begins with. `start_s`: of the Unix epoch.
std::string hdr_log_head(double start_s);
/// One interval. `from_s`: since the start; the largest value is told in milliseconds.
std::string hdr_log_line(double from_s, double length_s, const Histogram& histogram);

}  // namespace precipice
