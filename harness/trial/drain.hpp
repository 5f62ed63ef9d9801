// The wait for what is under way when the last request has been offered.
#pragma once

#include <atomic>

#include "models/model.hpp"

namespace precipice {

/// Waits until nothing is in flight, `stop` (if given) becomes true, or `deadline`; nothing may be
/// submitted any more. Returns until when the model's shutdown may still wait: the deadline, or now
/// when the user wants to stop. Looks every millisecond, as the models do.
Time wait_for_drain(const Model& model, Time deadline, const std::atomic<bool>* stop);

}  // namespace precipice
