#include "models/cabinet.hpp"

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>
#include <variant>

#include "models/cabinet_manifest.hpp"
#include "models/csv_file.hpp"
#include "models/disk_file.hpp"
#include "models/npy_file.hpp"

namespace dim::models {

namespace {

namespace fs = std::filesystem;
using runtime::error_code;

constexpr std::uint64_t manifest_bytes_max = std::uint64_t{1} << 20;
constexpr std::uint64_t check_bytes = std::uint64_t{1} << 20;

using row_file = std::variant<npy_reader, csv_reader>;

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t index = 0; index < shape.size(); ++index)
    text += (index == 0 ? "" : ", ") + std::to_string(shape[index]);
  return text + "]";
}

tl::unexpected<runtime::failure> column_failure(const cabinet_column& column,
                                                const std::string& words) {
  return runtime::fail(error_code::bad_input, column.name + ": " + words);
}

runtime::expected<row_file> open_npy(const fs::path& folder, const cabinet_column& column) {
  auto reader = npy_reader::open(folder / column.file);
  if (!reader)
    return column_failure(column, reader.error().message);
  if (reader->header().type != column.type)
    return column_failure(column, column.file + " holds "
                                    + std::string{to_string(reader->header().type)} + ", not "
                                    + std::string{to_string(column.type)});
  const auto& shape = reader->header().shape;
  if (shape.empty()
      || !std::equal(shape.begin() + 1, shape.end(), column.row_shape.begin(),
                     column.row_shape.end()))
    return column_failure(column, column.file + " has the shape " + shape_text(shape)
                                    + ", which is not rows of " + shape_text(column.row_shape));
  return row_file{std::move(*reader)};
}

runtime::expected<row_file> open_csv(const fs::path& folder, const cabinet_column& column) {
  auto reader = csv_reader::open(folder / column.file, column.csv_columns, column.type);
  if (!reader)
    return column_failure(column, reader.error().message);
  if (reader->width() != row_elements(column))
    return column_failure(column, column.file + " gives " + std::to_string(reader->width())
                                    + " values a row, but a row has the shape "
                                    + shape_text(column.row_shape));
  return row_file{std::move(*reader)};
}

runtime::expected<row_file> open_rows(const fs::path& folder, const cabinet_column& column) {
  return column.file.ends_with(".csv") ? open_csv(folder, column) : open_npy(folder, column);
}

/// Reads a column to its end, or takes the number of rows from the header that was checked.
runtime::expected<std::uint64_t> count_rows(row_file& file, const cabinet_column& column) {
  if (const auto* array = std::get_if<npy_reader>(&file))
    return array->rows();
  auto& lines = std::get<csv_reader>(file);
  const std::uint64_t row_bytes = row_elements(column) * size_of(column.type);
  const std::uint64_t block_rows = std::max<std::uint64_t>(check_bytes / row_bytes, 1);
  std::vector<char> block;
  for (std::uint64_t rows = 0;;) {
    block.clear();
    const auto count = lines.read_rows(block_rows, block);
    if (!count)
      return column_failure(column, count.error().message);
    if (*count == 0)
      return rows;
    rows += *count;
  }
}

}  // namespace

struct cabinet_reader::source {
  cabinet_column column;
  row_file rows;
};

cabinet_reader::cabinet_reader(std::vector<source> sources) : sources_(std::move(sources)) {
}

cabinet_reader::cabinet_reader(cabinet_reader&&) noexcept = default;
cabinet_reader& cabinet_reader::operator=(cabinet_reader&&) noexcept = default;
cabinet_reader::~cabinet_reader() = default;

runtime::expected<tensor_list> cabinet_reader::next(std::uint64_t rows_max) {
  tensor_list batch;
  std::optional<std::uint64_t> rows;
  for (source& each : sources_) {
    std::vector<char> data;
    const auto count =
      std::visit([&](auto& file) { return file.read_rows(rows_max, data); }, each.rows);
    if (!count)
      return column_failure(each.column, count.error().message);
    if (rows && *rows != *count)
      return column_failure(each.column, each.column.file + " has changed: its rows end elsewhere "
                                                            "than those before it");
    rows = *count;
    std::vector<std::int64_t> shape{static_cast<std::int64_t>(*count)};
    shape.insert(shape.end(), each.column.row_shape.begin(), each.column.row_shape.end());
    if (*count > 0)
      batch.push_back(
        make_tensor(each.column.name, each.column.type, std::move(shape), std::move(data)));
  }
  return batch;
}

runtime::expected<cabinet> cabinet::open(const fs::path& folder) {
  const auto text = read_text(folder / "cabinet.toml", manifest_bytes_max);
  if (!text)
    return tl::unexpected(text.error());
  auto manifest = parse_cabinet_manifest(*text);
  if (!manifest)
    return tl::unexpected(manifest.error());
  cabinet opened;
  opened.folder_ = folder;
  opened.name_ = std::move(manifest->name);
  opened.description_ = std::move(manifest->description);
  opened.columns_ = std::move(manifest->columns);
  std::vector<std::string> problems;
  std::optional<std::uint64_t> rows;
  for (const cabinet_column& column : opened.columns_) {
    auto count = open_rows(folder, column).and_then([&](row_file file) {
      return count_rows(file, column);
    });
    if (!count)
      problems.push_back(count.error().message);
    else if (rows && *rows != *count)
      problems.push_back(column.name + ": " + column.file + " has " + std::to_string(*count)
                         + " rows, but " + opened.columns_.front().name + " has "
                         + std::to_string(*rows));
    else
      rows = *count;
  }
  if (!problems.empty())
    return runtime::fail(error_code::bad_input,
                         "the cabinet " + opened.name_ + " can not be used", std::move(problems));
  opened.rows_ = rows.value_or(0);
  return opened;
}

std::vector<std::string> cabinet::column_names() const {
  std::vector<std::string> names;
  for (const cabinet_column& column : columns_)
    names.push_back(column.name);
  return names;
}

runtime::expected<cabinet_reader> cabinet::read() const {
  std::vector<cabinet_reader::source> sources;
  for (const cabinet_column& column : columns_) {
    auto file = open_rows(folder_, column);
    if (!file)
      return tl::unexpected(file.error());
    sources.push_back({column, std::move(*file)});
  }
  return cabinet_reader{std::move(sources)};
}

cabinet_listing list_cabinets(const fs::path& folder) {
  cabinet_listing listing;
  std::vector<fs::path> folders;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (std::error_code ignored; fs::exists(it->path() / "cabinet.toml", ignored))
      folders.push_back(it->path());
  std::sort(folders.begin(), folders.end());
  for (const fs::path& each : folders) {
    auto opened = cabinet::open(each);
    const std::string place = each.filename().string() + ": ";
    if (!opened) {
      listing.problems.push_back(place + opened.error().message);
      for (const std::string& detail : opened.error().details)
        listing.problems.push_back(place + detail);
      continue;
    }
    const bool is_known =
      std::any_of(listing.cabinets.begin(), listing.cabinets.end(),
                  [&](const cabinet& other) { return other.name() == opened->name(); });
    if (is_known)
      listing.problems.push_back(place + "another folder has a cabinet named \"" + opened->name()
                                 + "\"");
    else
      listing.cabinets.push_back(std::move(*opened));
  }
  std::sort(listing.cabinets.begin(), listing.cabinets.end(),
            [](const cabinet& a, const cabinet& b) { return a.name() < b.name(); });
  return listing;
}

}  // namespace dim::models
