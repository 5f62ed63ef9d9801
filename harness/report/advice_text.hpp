// The answer of `advise`: five sentences, a table of the models at the rates, and a chart of their
// cliffs beside the rates.
#pragma once

#include <string>
#include <vector>

#include "harness/compare/advice.hpp"
#include "harness/report/text_style.hpp"

namespace precipice {

struct AdviceSentence {
  std::string topic, text;
};
/// Whether today's model is enough, which carries most, by how much and how sure, the smallest
/// pool, and what happens past the rate; one alone where no trial was valid. ASCII.
std::vector<AdviceSentence> advice_sentences(const Advice& advice);
/// The sentences, one a line.
std::string advice_answer(const Advice& advice, const TableStyle& style);
std::string advice_table(const Advice& advice, const TableStyle& style);
/// A line a model: its cliff with the interval on a logarithmic axis of rates. "" without a cliff.
std::string advice_chart(const Advice& advice, const TableStyle& style);

}  // namespace precipice
