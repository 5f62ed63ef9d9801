// What the fuzz targets share: a property that does not hold ends the process, which is how both
// drivers notice it.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>

#include "models/options.hpp"

/// The interface of libFuzzer (llvm.org/docs/LibFuzzer.html), and of driver.cpp where there is
/// none.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace precipice::fuzz {

/// Aborts with the property's name and what was seen.
inline void require(bool holds, std::string_view property, std::string_view seen = {}) {
  if (holds) return;
  std::cerr << "property broken: " << property << '\n' << seen << std::endl;
  std::abort();
}

/// What `read` answers, or nothing when it refuses its input in the documented way. Any other
/// exception goes up and ends the process.
template <class Read>
auto accepted(Read read) -> std::optional<decltype(read())> {
  try {
    return read();
  } catch (const UsageError& complaint) {
    require(*complaint.what() != '\0', "a complaint says something");
    return std::nullopt;
  }
}

/// As accepted, of what has been accepted before and so must not be refused.
template <class Read>
auto again(std::string_view property, std::string_view printed, Read read) -> decltype(read()) {
  try {
    return read();
  } catch (const UsageError& complaint) {
    require(false, property, std::string(printed) + "\n-> " + complaint.what());
    std::abort();
  }
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace precipice::fuzz
