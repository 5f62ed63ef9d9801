// The three standard streams, which whoever starts the program may have closed or filled up.
#pragma once

#include <string>

namespace precipice::cli {

/// Puts /dev/null where descriptors 0 to 2 are closed, so that no file opened later takes their
/// numbers and with them what is printed. To be called before anything else is opened. Throws
/// Unavailable where that cannot be done.
void occupy_standard_streams();

/// Writes to standard output and sees that it arrived. Throws CannotWrite when not all of it, or
/// of what was printed before it, did, and when standard output was closed from the start.
void write_standard_output(const std::string& bytes);

}  // namespace precipice::cli
