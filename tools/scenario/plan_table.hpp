#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <toml++/toml.h>

/// Reading one table of a plan member by member, with every problem noted beside its line.
namespace dim::scenario {

/// What is wrong, and where.
struct plan_problem {
  std::uint32_t line = 0;
  std::string what;
};

/// One table of a plan. Each function reads a member, if it is there, into `target`, which keeps
/// what it has when the member is of another kind or out of bounds; then the problem is noted.
class plan_table {
public:
  /// `place` comes before each member's name in a problem: "workload.", "fault 3: "; "" at the top.
  plan_table(const toml::table& members, std::string place, std::vector<plan_problem>& problems)
    : members_(members), place_(std::move(place)), problems_(problems) {
  }

  void text(std::string_view key, std::string& target);
  void flag(std::string_view key, bool& target);
  void number(std::string_view key, double& target, double low, double high);
  void texts(std::string_view key, std::vector<std::string>& target);
  /// A whole number from `low` to `high`.
  template <class Whole>
  void count(std::string_view key, Whole& target, std::int64_t low, std::int64_t high) {
    std::int64_t value = 0;
    if (read_count(key, value, low, high))
      target = static_cast<Whole>(value);
  }
  /// Text such as "2s", or whole milliseconds.
  template <class Whole>
  void duration(std::string_view key, Whole& target) {
    std::int64_t value = 0;
    if (read_duration(key, value))
      target = static_cast<Whole>(value);
  }
  /// One duration, or a list of the shortest and the longest.
  void duration_range(std::string_view key, std::int64_t& low, std::int64_t& high);

  bool has(std::string_view key) const {
    return members_.contains(key);
  }
  /// The member, which counts as known from here on; nullptr where it is absent.
  const toml::node* take(std::string_view key);
  /// Notes a problem with a member that is there, or with the table as a whole.
  void refuse(std::string_view key, std::string what);
  /// Notes every member that no function has asked for.
  void refuse_unknown();

private:
  bool read_count(std::string_view key, std::int64_t& target, std::int64_t low, std::int64_t high);
  bool read_duration(std::string_view key, std::int64_t& target);
  bool take_duration(std::string_view key, const toml::node& node, std::int64_t& target);
  void refuse(std::string_view key, const toml::node& node, std::string what);

  const toml::table& members_;
  std::string place_;
  std::vector<plan_problem>& problems_;
  std::vector<std::string> known_;
};

}  // namespace dim::scenario
