// The language of claims. What parses is printed again with every parenthesis, and has to have the
// same meaning.
#include <fmt/format.h>

#include <cmath>

#include "harness/compare/claim_parser.hpp"
#include "tests/fuzz/property.hpp"

namespace precipice::fuzz {
namespace {

using Kind = ClaimNode::Kind;

std::string number_text(const ClaimNode& node) {
  std::string text = fmt::format("{}", std::abs(node.value));
  if (node.dimension == 1) text += 's';
  if (node.dimension == -1) text += "/s";
  if (node.dimension == 0 && !node.plain_number) text += " * 100%";
  for (int power = 2; power <= node.dimension; ++power)
    text = text + (power == 2 ? "s" : "") + " * 1s";
  for (int power = -2; power >= node.dimension; --power)
    text = text + (power == -2 ? "/s" : "") + " * 1/s";
  return std::signbit(node.value) ? fmt::format("(-({}))", text) : fmt::format("({})", text);
}

std::string text_of_node(const ClaimRelation& claim, std::size_t index) {
  const ClaimNode& node = claim.nodes[index];
  switch (node.kind) {
    case Kind::number:
      return number_text(node);
    case Kind::negate:
      return fmt::format("(-{})", text_of_node(claim, node.left));
    case Kind::call:
      break;
    default: {
      constexpr std::string_view kSigns = "+-*/";
      const char sign =
          kSigns[static_cast<std::size_t>(node.kind) - static_cast<std::size_t>(Kind::add)];
      return fmt::format("({} {} {})", text_of_node(claim, node.left), sign,
                         text_of_node(claim, node.right));
    }
  }
  std::string load;
  if (node.load)
    load = node.load->share ? fmt::format(", {}", node.load->value)
                            : fmt::format(", {}/s", node.load->value);
  return fmt::format("{}({}, {}{})", to_string(node.figure), node.series.to_string(),
                     node.workload.to_string(), load);
}

std::string text_of_claim(const ClaimRelation& claim) {
  const std::string left = text_of_node(claim, claim.left);
  const std::string right = text_of_node(claim, claim.right);
  switch (claim.kind) {
    case ClaimRelation::Kind::below:
      return left + " < " + right;
    case ClaimRelation::Kind::at_most:
      return left + " <= " + right;
    case ClaimRelation::Kind::above:
      return left + " > " + right;
    case ClaimRelation::Kind::at_least:
      return left + " >= " + right;
    case ClaimRelation::Kind::within:
      break;
  }
  return fmt::format("{} within {} of {}", left, "TOLERANCE", right);
}

void check_nodes(const ClaimRelation& claim) {
  require(claim.left < claim.nodes.size() && claim.right < claim.nodes.size(),
          "a claim has two sides", claim.text);
  for (std::size_t i = 0; i < claim.nodes.size(); ++i) {
    const ClaimNode& node = claim.nodes[i];
    require(node.begin < node.end && node.end <= claim.text.size(), "a node has its text",
            claim.text);
    if (node.kind == Kind::number) {
      require(std::isfinite(node.value), "a number is finite", claim.text);
    } else if (node.kind == Kind::call) {
      require(node.load.has_value() == needs_load(node.figure), "a load where one is needed",
              claim.text);
      require(!node.load || (std::isfinite(node.load->value) && node.load->value > 0),
              "a load is positive", claim.text);
    } else {
      require(node.left < i && node.right < i, "operands come before what uses them", claim.text);
    }
  }
}

}  // namespace
}  // namespace precipice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace precipice;
  using namespace precipice::fuzz;
  const auto claim = accepted([&] { return parse_claim(text_of(data, size)); });
  if (!claim) return 0;
  check_nodes(*claim);
  if (claim->kind == ClaimRelation::Kind::within) {
    require(claim->tolerance > 0 && std::isfinite(claim->tolerance), "a tolerance is positive",
            claim->text);
    return 0;
  }
  const std::string printed = text_of_claim(*claim);
  if (printed.size() > kLongestClaim) return 0;
  // Printing adds two parentheses a level, so only what is half as deep as allowed must come back.
  const auto same = accepted([&] { return parse_claim(printed); });
  if (!same) {
    int depth = 0, deepest = 0;
    for (const char c : printed) {
      depth += c == '(' ? 1 : c == ')' ? -1 : 0;
      deepest = std::max(deepest, depth);
    }
    require(2 * deepest > kDeepestClaim, "a claim prints what parses", printed);
    return 0;
  }
  require(text_of_claim(*same) == printed, "a claim parses to itself",
          printed + "\n" + text_of_claim(*same));
  return 0;
}
