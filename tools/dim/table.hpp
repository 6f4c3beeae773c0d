#pragma once

#include <string>
#include <vector>

#include "tools/dim/console.hpp"

namespace dim::tools {

/// Rows under titles, as wide as their texts and no wider than the terminal: when they do not fit,
/// the widest of the columns that may shrink give way first.
class table {
public:
  struct column {
    std::string title;
    /// Whether its texts may be cut to fit the terminal.
    bool may_shrink = false;
    /// Numbers stand at the right.
    bool is_number = false;
  };
  struct cell {
    cell(std::string content, colour paint_with = colour::none)
      : text(std::move(content)), paint(paint_with) {
    }
    cell(const char* content) : cell(std::string{content}) {
    }
    std::string text;
    colour paint;
  };

  explicit table(std::vector<column> columns) : columns_(std::move(columns)) {
  }

  /// One cell a column. Texts are cleaned here.
  void add(std::vector<cell> row);

  bool empty() const noexcept {
    return rows_.empty();
  }

  /// Prints titles and rows, without the columns in which no row has a text. With `is_full` nothing
  /// is cut.
  void print(console& where, bool is_full = false) const;

private:
  std::vector<std::size_t> widths(std::size_t limit) const;
  std::vector<std::size_t> filled_columns() const;

  std::vector<column> columns_;
  std::vector<std::vector<cell>> rows_;
};

}  // namespace dim::tools
