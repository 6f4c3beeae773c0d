#include "tools/dim/option_checks.hpp"

#include <charconv>
#include <cmath>
#include <optional>
#include <string>

namespace dim::tools {

namespace {

std::optional<double> number_in(const std::string& text) {
  double number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || end != text.data() + text.size() || !std::isfinite(number))
    return std::nullopt;
  return number;
}

}  // namespace

CLI::Validator not_empty() {
  return {[](const std::string& text) {
            return text.empty() ? std::string{"expected a text that is not empty"} : std::string{};
          },
          ""};
}

CLI::Validator above_zero() {
  return {[](const std::string& text) {
            return number_in(text).value_or(0) > 0 ? std::string{}
                                                   : "expected a number above 0, got " + text;
          },
          ""};
}

CLI::Validator not_negative() {
  return {[](const std::string& text) {
            return number_in(text).value_or(-1) >= 0
                     ? std::string{}
                     : "expected a number that is not below 0, got " + text;
          },
          ""};
}

}  // namespace dim::tools
