#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

/// Reading a TOML table with every problem named, for the sources that read `config.toml` and
/// `cabinet.toml`. Included by sources only.
namespace dim::models {

/// Parses `text`. A syntax error is added to `problems` with its line, and the answer is empty.
std::optional<toml::table> parse_toml(std::string_view text, std::vector<std::string>& problems);

/// The keys of one table. Each accessor returns the value, or adds a problem such as "line 3:
/// inputs[0].dims: expected a list of whole numbers" and returns nothing; a key that is not there
/// is no problem.
class toml_fields {
public:
  /// `path` stands before every key in problems: "" or "inputs[0]". Table and problems must outlive
  /// this.
  toml_fields(const toml::table& table, std::string path, std::vector<std::string>& problems);

  std::optional<std::string> text(const std::string& key);
  /// As `text`, but an absent key is a problem.
  std::string required_text(const std::string& key);
  std::optional<bool> flag(const std::string& key);
  std::optional<std::int64_t> integer(const std::string& key, std::int64_t low, std::int64_t high);
  std::vector<std::string> texts(const std::string& key);
  std::vector<std::int64_t> integers(const std::string& key);
  /// The entries of an array of tables, each with its own path.
  std::vector<toml_fields> tables(const std::string& key);
  /// The table under this key.
  std::optional<toml_fields> table(const std::string& key);
  /// The keys of this table, in order, all of which now count as known.
  std::vector<std::string> keys();

  bool has(const std::string& key) const;
  /// Whether there is a list under this key.
  bool is_list(const std::string& key) const;
  /// Adds a problem at the line of `key`, or of the table where there is no such key.
  void add_problem(const std::string& key, const std::string& words);
  /// Names every key that was never asked for.
  void refuse_unknown_keys();

private:
  const toml::node* find(const std::string& key);
  std::string name_of(const std::string& key) const;

  const toml::table* table_;
  std::string path_;
  std::vector<std::string>* problems_;
  std::set<std::string> asked_;
};

}  // namespace dim::models
