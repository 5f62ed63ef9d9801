// The program: runs the command line, and turns errors into messages and exit codes.
#include <fmt/format.h>

#include <cstdio>
#include <new>

#include "harness/cli/command_line.hpp"
#include "harness/cli/common_options.hpp"
#include "harness/cli/standard_streams.hpp"
#include "harness/store/durable_file.hpp"
#include "harness/trial/interrupt.hpp"
#include "models/memory_limits.hpp"
#include "models/options.hpp"
#include "models/unavailable.hpp"

namespace precipice::cli {
namespace {

int fail(Exit code, const char* what) {
  remark(what);
  return code;
}

/// In a catch block: what ran out is no fault of the program, everything else is.
int fail_unforeseen() {
  try {
    throw_what_ran_out("this machine does not have what that needs");
  } catch (const Unavailable& lacking) {
    return fail(kLacking, lacking.what());
  } catch (const std::bad_alloc&) {  // not even for the sentence
    std::fputs("precipice: no memory is left\n", stderr);
    return kLacking;
  } catch (const std::exception& error) {
    return fail(kInternal, fmt::format("internal error: {}", error.what()).c_str());
  }
}

}  // namespace
}  // namespace precipice::cli

int main(int argc, char** argv) {
  using namespace precipice;
  using namespace precipice::cli;
  try {
    occupy_standard_streams();
    bound_malloc_arenas();
    return run_command_line({argv, argv + argc});
  } catch (const UsageError& error) {
    return fail(kUsage, error.what());
  } catch (const Unavailable& error) {
    return fail(kLacking, error.what());
  } catch (const CannotWrite& error) {
    return fail(kCannotWrite, error.what());
  } catch (const Interrupted& error) {
    return fail(kInterrupted, error.what());
  } catch (...) {
    return fail_unforeseen();
  }
}
