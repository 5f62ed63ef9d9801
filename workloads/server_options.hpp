// The keys that the workloads with a server of their own share, read and checked in one place.
#pragma once

#include <netinet/in.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/options.hpp"
#include "workloads/workload.hpp"

namespace precipice {

/// What a request does with its key.
enum class Operation : std::uint8_t { read, write };

/// What all requests do: by the `op` key, whose values are `reads`, `writes` and "mixed", which is
/// half of each, chosen by the seed.
class Operations {
 public:
  Operations(const Options& options, std::string_view reads, std::string_view writes);

  Operation of(std::uint64_t seed) const;
  bool any_write() const { return mix_ != Mix::reads; }

 private:
  enum class Mix : std::uint8_t { reads, writes, mixed };
  Mix mix_ = Mix::reads;
};

/// The `keys` key: which key a seed means, spread evenly over all keys in an order shuffled by
/// `salt`. A trial touches at most kTabulatedSeeds of them.
class SeedKeys {
 public:
  SeedKeys(const Options& options, std::uint64_t salt);

  std::uint64_t count() const { return count_; }
  /// Below count().
  std::uint64_t operator[](std::uint64_t seed) const { return keys_[seed % kTabulatedSeeds]; }

 private:
  std::uint64_t count_;
  std::vector<std::uint64_t> keys_;  ///< by seed
};

/// The `bytes` key: the size of a value, 1 to 1MiB. Throws UsageError.
std::size_t value_bytes_option(const Options& options, std::string_view component);

/// The `server` key: nullopt where it is not given; else ADDR:PORT, of which the address is one of
/// this machine's loopback: load goes to no other machine. Throws UsageError.
std::optional<sockaddr_in> server_option(const Options& options, std::string_view component);

/// How many connections each executor gets of those asked for by the `connections` key, at least
/// one. Raises the limit on open files as far as it can; throws Unavailable where it does not
/// suffice.
std::size_t connections_per_executor(std::string_view component, std::uint64_t asked,
                                     unsigned executors);

/// `address:port`.
std::string text_of(const sockaddr_in& address);

/// Writes the value of `key`: letters from a to p, which need no quoting anywhere. It depends on
/// nothing but the key, so that a wrong value is found, and a write changes nothing.
void write_value(std::uint64_t key, char* value, std::size_t bytes);

}  // namespace precipice
