#include "models/unavailable.hpp"

#include <sched.h>

#include <boost/system/system_error.hpp>
#include <cerrno>
#include <exception>
#include <new>
#include <system_error>

#include "models/memory_limits.hpp"
#include "models/options.hpp"
#include "models/thread_limits.hpp"

namespace precipice {
namespace {

// SCHED_DEADLINE, which is not in every libc's headers.
constexpr int kDeadlinePolicy = 6;

/// Threads, descriptors and memory have each their own errno.
bool is_shortage(int error) {
  return error == EMFILE || error == ENFILE || error == EAGAIN || error == ENOMEM;
}

Unavailable refused(const std::string& what, int error, const std::string& why) {
  if (error == EMFILE || error == ENFILE) {
    return Unavailable(what + ": no descriptor left (" + why + "); raise the limit (ulimit -n)");
  }
  if (error == EAGAIN && sched_getscheduler(0) == kDeadlinePolicy) {
    return Unavailable(what + ": a thread of SCHED_DEADLINE can make no other (sched(7)); start " +
                       "precipice without chrt -d");
  }
  if (error == EAGAIN) {
    const ThreadLimit limit = limit_that_was_hit();
    if (limit.limit == 0 && limit.name == "memory") {
      return Unavailable(what + ": the kernel refuses a thread (" + why +
                         "), and no limit on threads is used up, so most likely for want of "
                         "memory: " +
                         limit.cure);
    }
    return Unavailable(what + ": the kernel refuses a thread (" + why + "); lift the limit " +
                       limit.name + " (" + std::to_string(limit.used) + " of " +
                       std::to_string(limit.limit) + " used): " + limit.cure);
  }
  if (error == ENOMEM) {
    return Unavailable(what + ": no memory (" + why + "): " + memory_that_ran_out() +
                       "; ask for less");
  }
  return Unavailable(what + ": cannot start: " + why);
}

}  // namespace

void throw_unavailable(const std::string& what) {
  try {
    throw;
  } catch (const Unavailable&) {
    throw;
  } catch (const UsageError&) {
    throw;
  } catch (const std::system_error& error) {
    throw refused(what, error.code().value(), error.what());
  } catch (const boost::system::system_error& error) {
    throw refused(what, error.code().value(), error.what());
  } catch (const std::bad_alloc& error) {
    throw refused(what, ENOMEM, error.what());
  } catch (const std::exception& error) {
    throw Unavailable(what + ": cannot start: " + error.what());
  }
}

void throw_what_ran_out(const std::string& what) {
  try {
    throw;
  } catch (const std::system_error& error) {
    if (!is_shortage(error.code().value())) throw;
    throw refused(what, error.code().value(), error.what());
  } catch (const boost::system::system_error& error) {
    if (!is_shortage(error.code().value())) throw;
    throw refused(what, error.code().value(), error.what());
  } catch (const std::bad_alloc& error) {
    throw refused(what, ENOMEM, error.what());
  }
}

}  // namespace precipice
