#pragma once

#include <string>

#include "tools/dim/console.hpp"

namespace dim::tools {

/// A line on the terminal that is drawn over and over.
class progress_bar {
public:
  explicit progress_bar(console& where) : where_(where) {
  }
  /// Removes the line, so that what comes next begins at its place.
  ~progress_bar() {
    clear();
  }
  progress_bar(const progress_bar&) = delete;
  progress_bar& operator=(const progress_bar&) = delete;

  /// Draws `share` (0 to 1) with `text` behind the bar. Nothing without a terminal.
  void draw(double share, const std::string& text);
  void clear();

private:
  console& where_;
  bool is_drawn_ = false;
};

}  // namespace dim::tools
