// The elements of a comma-separated list in a field's value (RFC 9110, section 5.6.1).
#pragma once

#include <cstddef>
#include <string_view>

#include "harness/http/character_class.hpp"

namespace precipice::http {

/// Each without the blanks around it; empty elements are elements too, and an empty value has one.
class ListElements {
 public:
  explicit constexpr ListElements(std::string_view value) : value_(value) {}

  class Iterator {
   public:
    constexpr explicit Iterator(std::string_view rest, bool over) : rest_(rest), over_(over) {}
    constexpr std::string_view operator*() const { return trimmed(rest_.substr(0, comma())); }
    constexpr Iterator& operator++() {
      over_ = comma() == rest_.size();
      if (!over_) rest_.remove_prefix(comma() + 1);
      return *this;
    }
    constexpr bool operator==(const Iterator& other) const { return over_ == other.over_; }

   private:
    constexpr std::size_t comma() const {
      const std::size_t at = rest_.find(',');
      return at == std::string_view::npos ? rest_.size() : at;
    }
    std::string_view rest_;
    bool over_;
  };
  constexpr Iterator begin() const { return Iterator(value_, false); }
  constexpr Iterator end() const { return Iterator({}, true); }

 private:
  std::string_view value_;
};

}  // namespace precipice::http
