#include "models/unavailable.hpp"

#include <sched.h>

#include <boost/system/system_error.hpp>
#include <cerrno>
#include <exception>
#include <new>
#include <system_error>

#include "models/options.hpp"
#include "models/thread_limits.hpp"

namespace precipice {
namespace {

// SCHED_DEADLINE, which is not in every libc's headers.
constexpr int kDeadlinePolicy = 6;

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
    return Unavailable(what + ": the kernel refuses a thread (" + why + "); lift the limit " +
                       limit.name + ": " + limit.cure);
  }
  if (error == ENOMEM) {
    return Unavailable(what + ": no memory (" + why + "); free some, or ask for less");
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

}  // namespace precipice
