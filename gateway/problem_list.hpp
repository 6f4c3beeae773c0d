#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace dim::gateway {

/// Where in a JSON document something stands. Lives on the stack, a link for each level, so that
/// a path costs nothing until a problem is written: json_path{}.member("inputs").at(0).
class json_path {
public:
  json_path() = default;

  json_path member(std::string_view name) const {
    return {this, name, 0};
  }
  json_path at(std::size_t index) const {
    return {this, {}, index};
  }

  /// "inputs[0].shape[1]"; "body" for the document itself.
  std::string text() const;

private:
  json_path(const json_path* parent, std::string_view name, std::size_t index)
    : parent_(parent), name_(name), index_(index) {
  }

  const json_path* parent_ = nullptr;
  std::string_view name_;
  std::size_t index_ = 0;
};

/// "text" in double quotes, for the words of a problem.
std::string in_quotes(std::string_view text);

/// The problems of one request: all of them at once, up to a limit; beyond it they are counted.
class problem_list {
public:
  explicit problem_list(std::size_t listed_max) : listed_max_(listed_max) {
  }

  /// Notes "path: what".
  void add(const json_path& path, std::string_view what);

  /// Notes "path: expected `expected`, got `got`".
  void add_mismatch(const json_path& path, std::string_view expected, std::string_view got);

  bool empty() const noexcept {
    return count_ == 0;
  }
  std::size_t count() const noexcept {
    return count_;
  }

  /// The problems in the order in which they were found; the last line counts those left out.
  std::vector<std::string> take();

private:
  std::size_t listed_max_;
  std::size_t count_ = 0;
  std::vector<std::string> listed_;
};

}  // namespace dim::gateway
