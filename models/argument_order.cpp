#include "models/argument_order.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <optional>

namespace dim::models {

namespace {

/// The number behind the last "__".
std::optional<std::size_t> number_in(const std::string& name) {
  const std::size_t mark = name.rfind("__");
  if (mark == std::string::npos || mark + 2 == name.size())
    return std::nullopt;
  std::size_t number = 0;
  const char* end = name.data() + name.size();
  const auto read = std::from_chars(name.data() + mark + 2, end, number);
  return read.ec == std::errc{} && read.ptr == end ? std::optional{number} : std::nullopt;
}

std::optional<std::size_t> place_of(const std::string& name,
                                    const std::vector<std::string>& arguments) {
  const auto found = std::find(arguments.begin(), arguments.end(), name);
  if (found == arguments.end())
    return std::nullopt;
  return static_cast<std::size_t>(found - arguments.begin());
}

/// Turned round: who stands in each place; empty unless the places are 0 to n - 1, each once.
template <class PlaceOf>
std::vector<std::size_t> by_place(const std::vector<tensor_spec>& declared, PlaceOf place_of) {
  constexpr auto nobody = static_cast<std::size_t>(-1);
  std::vector<std::size_t> order(declared.size(), nobody);
  for (std::size_t index = 0; index < declared.size(); ++index) {
    const std::optional<std::size_t> place = place_of(declared[index].name);
    if (!place || *place >= order.size() || order[*place] != nobody)
      return {};
    order[*place] = index;
  }
  return order;
}

}  // namespace

std::vector<std::size_t> argument_order(const std::vector<tensor_spec>& declared,
                                        const std::vector<std::string>& arguments) {
  auto order = by_place(declared, number_in);
  if (order.empty())
    order = by_place(declared,
                     [&](const std::string& name) { return place_of(name, arguments); });
  if (order.empty()) {
    order.resize(declared.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
  }
  return order;
}

}  // namespace dim::models
