// The wait for what is under way when the last request has been offered.
#pragma once

#include <atomic>

#include "harness/trial/rpc_backend.hpp"
#include "models/model.hpp"

namespace precipice {

/// Waits until nothing is in flight, `stop` (if given) becomes true, or `deadline`; nothing may be
/// submitted any more. Returns until when the model's shutdown may still wait: the deadline, or now
/// when the user wants to stop. Looks every millisecond, as the models do. Serves a `backend`
/// without a thread of its own meanwhile, with this `margin`.
Time wait_for_drain(const Model& model, Time deadline, const std::atomic<bool>* stop,
                    Backend* backend = nullptr, Nanos margin = Nanos(0));

}  // namespace precipice
