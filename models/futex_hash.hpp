// Room in the kernel for many threads that wait at once.
#pragma once

namespace precipice {

/// Gives this process a futex bucket for each of so many threads, where the kernel keeps a table
/// for each process and it has fewer; elsewhere, does nothing. The kernel sizes that table by the
/// CPUs, and threads that wait in one bucket stand in one list: with 30,000 of them idle, every
/// wake-up of another mutex or condition variable that happens to share it takes milliseconds.
void spread_futexes(unsigned threads) noexcept;

}  // namespace precipice
