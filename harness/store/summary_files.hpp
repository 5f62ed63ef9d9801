// The tables that a run's directory holds for readers: points.csv, summary.json, summary.csv.
// Columns and fields are described in results/README.md.
#pragma once

#include <string>

#include "harness/capacity/cell_summary.hpp"
#include "harness/capacity/record.hpp"
#include "harness/json.hpp"

namespace precipice {

/// The first line of points.csv, without a newline.
std::string points_header();
/// One row, without a newline. Unmeasured numbers are empty.
std::string points_row(const Record& record);

Json summary_json(const std::string& suite, const CampaignResult& result);
/// One row a cell, with its header.
std::string summary_csv(const CampaignResult& result);

}  // namespace precipice
