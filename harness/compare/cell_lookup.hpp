// How a text in a suite refers to a cell of a run: by the series' and the workload's name and as
// many of their settings as tell it from the others.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "harness/capacity/plan.hpp"
#include "harness/compare/claim_parser.hpp"

namespace precipice {

/// A series on a workload.
struct CellName {
  Spec model, workload;
};
std::vector<CellName> cells_of(const Plan& plan);

enum class SpecRole : std::uint8_t { model, workload };

/// Whether `spec` has the reference's name and every setting that it gives. A setting that `spec`
/// leaves out has its default; `5ms` equals `5000us`, and `8` equals `8.0`.
bool refers_to(const Spec& reference, const Spec& spec, SpecRole role);

/// Whether a policy is what the reference names: `batched` stands for each of `batched:size=8` and
/// its like.
bool refers_to_policy(const std::string& reference, const std::string& policy);

/// The index of the one cell that is meant: the only one that both references fit; of several, the
/// one that is written in the very same way. Throws UsageError that lists the candidates.
std::size_t resolve_cell(const Spec& series, const Spec& workload,
                         const std::vector<CellName>& cells);

/// As resolve_cell for every call of a claim, by the index of its node; other nodes get 0. Throws
/// UsageError with the column of the call, also for a class that is not among `classes`.
std::vector<std::size_t> resolve_claim(const ClaimRelation& claim,
                                       const std::vector<CellName>& cells,
                                       const std::vector<RequestClass>& classes);

}  // namespace precipice
