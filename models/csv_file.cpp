#include "models/csv_file.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include <csv.h>

#include "models/numbers.hpp"

namespace dim::models {

namespace {

using runtime::error_code;

constexpr std::size_t block_size = std::size_t{64} << 10;
constexpr std::size_t field_max = std::size_t{1} << 20;
constexpr std::size_t columns_max = std::size_t{1} << 16;
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

/// Reads a number of the element's type; false when the text is none, or does not fit.
template <class Element>
bool read_number(std::string_view text, Element& value) {
  if (text.starts_with('+'))
    text.remove_prefix(1);
  const char* end = text.data() + text.size();
  if constexpr (std::is_same_v<Element, float>) {
    // Read as a double, so that a value below the smallest float becomes 0 instead of an error.
    double wide = 0;
    if (!read_number(text, wide))
      return false;
    value = static_cast<float>(wide);
    return std::isinf(value) == std::isinf(wide);
  } else {
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    return error == std::errc{} && stop == end && !text.empty();
  }
}

bool read_boolean(std::string_view text, std::uint8_t& value) {
  value = text == "1" || text == "true" ? 1 : 0;
  return value == 1 || text == "0" || text == "false";
}

/// Appends the field as an element of `type`; false when it is none.
bool append_element(std::string_view text, datatype type, std::vector<char>& target) {
  bool is_good = false;
  visit_datatype(type, [&](auto* pointer) {
    using element = std::remove_cv_t<std::remove_pointer_t<decltype(pointer)>>;
    if constexpr (std::is_arithmetic_v<element>) {
      element value{};
      if constexpr (std::is_same_v<element, std::uint8_t>)
        is_good = type == datatype::boolean ? read_boolean(text, value) : read_number(text, value);
      else
        is_good = read_number(text, value);
      const auto* bytes = reinterpret_cast<const char*>(&value);
      target.insert(target.end(), bytes, bytes + sizeof(value));
    }
  });
  return is_good;
}

}  // namespace

struct csv_reader::parser {
  parser(std::string file_name, const std::vector<std::string>& wanted_columns, datatype wanted)
    : name(std::move(file_name)), wanted_columns(wanted_columns), type(wanted) {
    csv_init(&state, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL);
    csv_set_blk_size(&state, 4096);
  }
  parser(const parser&) = delete;
  parser& operator=(const parser&) = delete;
  ~parser() {
    csv_free(&state);
  }

  void add_problem(std::uint64_t at_line, const std::string& words) {
    if (problem.empty())
      problem = name + " line " + std::to_string(at_line) + ": " + words;
  }

  void end_field(std::string_view text) {
    if (field_count == 0)
      row_line = line;
    line += static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
    const std::size_t count_max = has_header ? header.size() : columns_max;
    if (field_count < count_max) {
      if (field_count == fields.size())
        fields.emplace_back();
      fields[field_count].assign(text);
    }
    ++field_count;
  }

  void end_line(int terminator) {
    if (field_count > 0 && problem.empty()) {
      if (has_header)
        end_row();
      else
        end_header();
    }
    field_count = 0;
    if (terminator == '\n')
      ++line;
  }

  void end_header() {
    if (field_count > columns_max)
      return add_problem(row_line, "has more than 65536 columns");
    header.assign(fields.begin(), fields.begin() + static_cast<std::ptrdiff_t>(field_count));
    has_header = true;
    for (const std::string& column : wanted_columns.empty() ? header : wanted_columns) {
      const auto found = std::find(header.begin(), header.end(), column);
      if (found == header.end())
        return add_problem(row_line, "the header has no column \"" + column + "\"");
      if (std::find(found + 1, header.end(), column) != header.end())
        return add_problem(row_line, "the header names the column \"" + column + "\" twice");
      picks.push_back(static_cast<std::size_t>(found - header.begin()));
    }
  }

  void end_row() {
    if (field_count != header.size())
      return add_problem(row_line, "expected " + std::to_string(header.size())
                                     + " fields as in the header, got "
                                     + std::to_string(field_count));
    for (const std::size_t pick : picks)
      if (!append_element(fields[pick], type, pending))
        return add_problem(row_line, "\"" + fields[pick].substr(0, 40) + "\" in column \""
                                       + header[pick] + "\" is no " + std::string{to_string(type)}
                                       + " number");
    ++pending_rows;
  }

  /// Reads one block of the file into `pending`, or finishes at its end.
  void feed() {
    std::vector<char> block(block_size);
    file.read(block.data(), static_cast<std::streamsize>(block.size()));
    std::string_view text(block.data(), static_cast<std::size_t>(file.gcount()));
    if (is_first && text.starts_with(byte_order_mark))
      text.remove_prefix(byte_order_mark.size());
    is_first = false;
    const auto on_field = [](void* field, std::size_t size, void* self) {
      static_cast<parser*>(self)->end_field({static_cast<const char*>(field), size});
    };
    const auto on_line = [](int terminator, void* self) {
      static_cast<parser*>(self)->end_line(terminator);
    };
    bool is_whole = csv_parse(&state, text.data(), text.size(), on_field, on_line, this)
                    == text.size();
    if (is_whole && !file) {
      at_end = true;
      is_whole = csv_fini(&state, on_field, on_line, this) == 0;
    }
    if (!is_whole)
      add_problem(line, "a quote is not closed, or stands inside a field that is not quoted");
    if (csv_get_buffer_size(&state) > field_max)
      add_problem(line, "a field is larger than 1 MiB");
  }

  std::string name;
  std::vector<std::string> wanted_columns;
  datatype type;
  std::ifstream file;
  csv_parser state{};
  bool is_first = true;
  bool at_end = false;
  bool has_header = false;
  std::string problem;
  std::vector<std::string> header;
  /// For each value of a row, the field it comes from.
  std::vector<std::size_t> picks;
  /// The fields of the row that is being read; only the first `field_count` are its own.
  std::vector<std::string> fields;
  std::size_t field_count = 0;
  std::uint64_t line = 1;
  std::uint64_t row_line = 1;
  /// Rows that were read and not yet given out, and how many of them were.
  std::vector<char> pending;
  std::uint64_t pending_rows = 0;
  std::uint64_t given_rows = 0;
};

csv_reader::csv_reader(std::unique_ptr<parser> state) : state_(std::move(state)) {
}

csv_reader::csv_reader(csv_reader&&) noexcept = default;
csv_reader& csv_reader::operator=(csv_reader&&) noexcept = default;
csv_reader::~csv_reader() = default;

runtime::expected<csv_reader> csv_reader::open(const std::filesystem::path& path,
                                               const std::vector<std::string>& columns,
                                               datatype type) {
  if (type == datatype::bytes || type == datatype::fp16 || type == datatype::bf16)
    return runtime::fail(error_code::unsupported, path.filename().string()
                                                    + ": CSV files are not read as "
                                                    + std::string{to_string(type)});
  auto state = std::make_unique<parser>(path.filename().string(), columns, type);
  state->file.open(path, std::ios::binary);
  if (!state->file)
    return runtime::fail(error_code::not_found, state->name + " can not be opened");
  while (!state->has_header && !state->at_end && state->problem.empty())
    state->feed();
  if (!state->has_header)
    state->add_problem(1, "the file has no header line");
  if (!state->problem.empty())
    return runtime::fail(error_code::bad_input, state->problem);
  return csv_reader{std::move(state)};
}

std::size_t csv_reader::width() const noexcept {
  return state_->picks.size();
}

runtime::expected<std::uint64_t> csv_reader::read_rows(std::uint64_t rows_max,
                                                       std::vector<char>& target) {
  const std::size_t row_bytes = width() * size_of(state_->type);
  std::uint64_t count = 0;
  while (count < rows_max) {
    if (!state_->problem.empty())
      return runtime::fail(error_code::bad_input, state_->problem);
    const std::uint64_t taken =
      std::min(rows_max - count, state_->pending_rows - state_->given_rows);
    const auto begin =
      state_->pending.begin() + static_cast<std::ptrdiff_t>(state_->given_rows * row_bytes);
    target.insert(target.end(), begin, begin + static_cast<std::ptrdiff_t>(taken * row_bytes));
    state_->given_rows += taken;
    count += taken;
    if (count == rows_max || state_->at_end)
      break;
    state_->pending.clear();
    state_->pending_rows = 0;
    state_->given_rows = 0;
    state_->feed();
  }
  return count;
}

}  // namespace dim::models
