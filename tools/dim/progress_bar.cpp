#include "tools/dim/progress_bar.hpp"

#include <algorithm>
#include <cmath>

#include "tools/dim/display_text.hpp"

namespace dim::tools {

namespace {

constexpr std::size_t bar_width = 24;

}  // namespace

void progress_bar::draw(double share, const std::string& text) {
  if (!where_.is_terminal)
    return;
  const auto filled = static_cast<std::size_t>(
    std::lround(std::clamp(share, 0.0, 1.0) * static_cast<double>(bar_width)));
  const auto bar
    = "[" + std::string(filled, '#') + std::string(bar_width - filled, '-') + "] ";
  const auto room = where_.width > bar.size() ? where_.width - bar.size() - 1 : 0;
  where_.out << "\r\x1b[K" << painted(where_, colour::blue, bar) << cut(cleaned(text), room)
             << std::flush;
  is_drawn_ = true;
}

void progress_bar::clear() {
  if (is_drawn_)
    where_.out << "\r\x1b[K" << std::flush;
  is_drawn_ = false;
}

}  // namespace dim::tools
