#include "models/distribution.hpp"

#include <fmt/format.h>

#include <boost/math/special_functions/erf.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "models/did_you_mean.hpp"
#include "models/options.hpp"

namespace precipice {
namespace {

constexpr std::string_view kShapes =
    "fixed, exponential, lognormal(cv), bimodal(p,short,long), pareto(alpha), "
    "stragglers(cv,share,factor)";

std::string without_spaces(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c != ' ' && c != '\t') result.push_back(c);
  }
  return result;
}

struct Call {
  std::string name;
  std::vector<std::string> arguments;
  bool well_formed = true;
};

/// `name` or `name(a,b,...)`.
Call split_call(const std::string& text) {
  Call call;
  const std::size_t open = text.find('(');
  call.name = text.substr(0, open);
  if (open == std::string::npos) return call;
  if (text.back() != ')') {
    call.well_formed = false;
    return call;
  }
  std::string argument;
  for (std::size_t i = open + 1; i + 1 < text.size(); ++i) {
    if (text[i] == ',') {
      call.arguments.push_back(argument);
      argument.clear();
    } else {
      argument.push_back(text[i]);
    }
  }
  call.arguments.push_back(argument);
  return call;
}

/// Box and Muller (1958); the second normal is dropped, so that a draw has no state.
double normal(Random& random) {
  const double radius = std::sqrt(-2 * std::log(random.uniform_positive()));
  return radius * std::cos(2 * std::numbers::pi * random.uniform());
}

double normal_below(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

bool is_duration(const std::string& text) {
  return !text.empty() && (text.back() == 's' || text.back() == 'm' || text.back() == 'h');
}

}  // namespace

Distribution Distribution::parse(std::string_view text, std::string_view what) {
  const std::string compact = without_spaces(text);
  const Call call = split_call(compact);
  const auto wrong = [&](std::string_view why) {
    return UsageError(fmt::format("{}: '{}' {}; the shapes are {}", what, text, why, kShapes));
  };
  const auto expect = [&](std::size_t arguments) {
    if (!call.well_formed) throw wrong("lacks its closing parenthesis");
    if (call.arguments.size() != arguments) {
      throw wrong(fmt::format("takes {} argument{}", arguments, arguments == 1 ? "" : "s"));
    }
  };

  Distribution result;
  result.text_ = compact;
  if (call.name == "fixed") {
    expect(0);
  } else if (call.name == "exponential") {
    expect(0);
    result.shape_ = Shape::exponential;
  } else if (call.name == "lognormal") {
    expect(1);
    const double cv = parse_number(call.arguments[0], what);
    if (!(cv > 0) || cv > 1000) throw wrong("needs a coefficient of variation from 0 to 1000");
    result.shape_ = Shape::lognormal;
    result.a_ = std::sqrt(std::log1p(cv * cv));
    result.b_ = -0.5 * result.a_ * result.a_;
  } else if (call.name == "bimodal") {
    expect(3);
    const double p = parse_number(call.arguments[0], what);
    if (!(p > 0) || !(p < 1)) throw wrong("needs a probability between 0 and 1");
    if (is_duration(call.arguments[1]) != is_duration(call.arguments[2])) {
      throw wrong("mixes a duration with a plain weight");
    }
    const auto value = [&](const std::string& argument) {
      return is_duration(argument) ? static_cast<double>(parse_duration(argument, what).count())
                                   : parse_number(argument, what);
    };
    const double low = value(call.arguments[1]);
    const double high = value(call.arguments[2]);
    if (!(low >= 0) || !(high >= low) || !(high > 0)) throw wrong("needs 0 <= short <= long");
    const double mean = p * low + (1 - p) * high;
    if (!std::isnormal(mean)) throw wrong("has a mean beyond what can be computed with");
    result.shape_ = Shape::bimodal;
    result.a_ = p;
    result.b_ = low / mean;
    result.c_ = high / mean;
  } else if (call.name == "pareto") {
    expect(1);
    const double alpha = parse_number(call.arguments[0], what);
    if (!(alpha > 1)) throw wrong("needs alpha > 1, else it has no mean");
    result.shape_ = Shape::pareto;
    result.a_ = -1 / alpha;
    result.b_ = (alpha - 1) / alpha;
    result.c_ = alpha;
  } else if (call.name == "stragglers") {
    expect(3);
    const double cv = parse_number(call.arguments[0], what);
    const double share = parse_number(call.arguments[1], what);
    const double factor = parse_number(call.arguments[2], what);
    if (!(cv > 0) || cv > 1000) throw wrong("needs a coefficient of variation from 0 to 1000");
    if (!(share > 0) || !(share < 1)) throw wrong("needs a share between 0 and 1");
    if (!(factor >= 1) || factor > 1e6) throw wrong("needs a factor from 1 to 1000000");
    result.shape_ = Shape::stragglers;
    result.a_ = std::sqrt(std::log1p(cv * cv));
    result.b_ = -0.5 * result.a_ * result.a_ - std::log1p(share * (factor - 1));
    result.c_ = share;
    result.d_ = factor;
  } else {
    throw wrong("is not a distribution" +
                did_you_mean(call.name, {"fixed", "exponential", "lognormal", "bimodal", "pareto",
                                         "stragglers"}));
  }
  return result;
}

double Distribution::unit(Random& random) const {
  switch (shape_) {
    case Shape::fixed:
      return 1;
    case Shape::exponential:
      return -std::log(random.uniform_positive());
    case Shape::lognormal:
      return std::exp(b_ + a_ * normal(random));
    case Shape::bimodal:
      return random.uniform() < a_ ? b_ : c_;
    case Shape::pareto:
      return b_ * std::pow(random.uniform_positive(), a_);
    case Shape::stragglers: {
      const double factor = random.uniform() < c_ ? d_ : 1;
      return factor * std::exp(b_ + a_ * normal(random));
    }
  }
  return 1;
}

double Distribution::quantile(double p) const {
  switch (shape_) {
    case Shape::fixed:
      return 1;
    case Shape::exponential:
      return -std::log1p(-p);
    case Shape::lognormal:
      return std::exp(b_ + a_ * std::numbers::sqrt2 * boost::math::erf_inv(2 * p - 1));
    case Shape::bimodal:
      return p < a_ ? b_ : c_;
    case Shape::pareto:
      return b_ * std::pow(1 - p, a_);
    case Shape::stragglers: {
      // A mixture has no inverse in closed form. It lies between those of its two parts.
      double low = b_ + a_ * std::numbers::sqrt2 * boost::math::erf_inv(2 * p - 1);
      double high = low + std::log(d_);
      for (int i = 0; i < 60; ++i) {
        const double middle = (low + high) / 2;
        const double below = (1 - c_) * normal_below((middle - b_) / a_) +
                             c_ * normal_below((middle - b_ - std::log(d_)) / a_);
        (below < p ? low : high) = middle;
      }
      return std::exp((low + high) / 2);
    }
  }
  return 1;
}

double Distribution::scv() const {
  switch (shape_) {
    case Shape::fixed:
      return 0;
    case Shape::exponential:
      return 1;
    case Shape::lognormal:
      return std::expm1(a_ * a_);
    case Shape::bimodal:
      return a_ * b_ * b_ + (1 - a_) * c_ * c_ - 1;
    case Shape::pareto:
      return c_ > 2 ? 1 / (c_ * (c_ - 2)) : std::numeric_limits<double>::infinity();
    case Shape::stragglers: {
      const double mean = 1 + c_ * (d_ - 1), square = 1 + c_ * (d_ * d_ - 1);
      return std::exp(a_ * a_) * square / (mean * mean) - 1;
    }
  }
  return 0;
}

}  // namespace precipice
