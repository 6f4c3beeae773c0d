#include "tools/dim/table.hpp"

#include <algorithm>
#include <numeric>

#include "tools/dim/display_text.hpp"

namespace dim::tools {

namespace {

constexpr std::size_t gap = 2;
constexpr std::size_t shrunk_width_min = 8;

}  // namespace

void table::add(std::vector<cell> row) {
  for (auto& x : row)
    x.text = cleaned(x.text);
  rows_.push_back(std::move(row));
}

std::vector<std::size_t> table::filled_columns() const {
  std::vector<std::size_t> result;
  for (std::size_t i = 0; i < columns_.size(); ++i)
    if (rows_.empty() || std::any_of(rows_.begin(), rows_.end(),
                                     [i](const auto& row) { return !row[i].text.empty(); }))
      result.push_back(i);
  return result;
}

std::vector<std::size_t> table::widths(std::size_t limit) const {
  std::vector<std::size_t> result(columns_.size(), 0);
  const auto filled = filled_columns();
  for (const auto i : filled) {
    result[i] = columns_of(columns_[i].title);
    for (const auto& row : rows_)
      result[i] = std::max(result[i], columns_of(row[i].text));
  }
  const auto gaps = filled.empty() ? 0 : filled.size() - 1;
  auto total = std::accumulate(result.begin(), result.end(), gap * gaps);
  while (limit != 0 && total > limit) {
    std::size_t* widest = nullptr;
    for (std::size_t i = 0; i < columns_.size(); ++i)
      if (columns_[i].may_shrink && result[i] > shrunk_width_min
          && (!widest || result[i] > *widest))
        widest = &result[i];
    if (!widest)
      break;
    --*widest;
    --total;
  }
  return result;
}

void table::print(console& where, bool is_full) const {
  const auto width = widths(is_full ? 0 : where.width);
  const auto filled = filled_columns();
  const auto print_row = [&](auto text_at) {
    std::string line;
    std::size_t missing = 0;
    for (const auto i : filled) {
      const auto [text, paint] = text_at(i);
      const auto shown = cut(text, width[i]);
      if (shown.empty()) {
        missing += width[i] + gap;
        continue;
      }
      const auto space = width[i] - std::min(width[i], columns_of(shown));
      const auto before = columns_[i].is_number ? space : 0;
      line += std::string(missing + before, ' ') + painted(where, paint, shown);
      missing = space - before + gap;
    }
    where.out << line << '\n';
  };
  print_row([this](std::size_t i) { return std::pair{columns_[i].title, colour::grey}; });
  for (const auto& row : rows_)
    print_row([&row](std::size_t i) { return std::pair{row[i].text, row[i].paint}; });
}

}  // namespace dim::tools
