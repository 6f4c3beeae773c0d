#include "models/npy_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>

namespace dim::models {

namespace {

using runtime::error_code;

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t header_block = 64;
constexpr std::size_t header_max = std::size_t{64} << 10;

struct type_code {
  std::string_view code;
  datatype type;
};

constexpr std::array<type_code, 14> type_codes{{
  {"|b1", datatype::boolean},
  {"|u1", datatype::uint8},
  {"<u2", datatype::uint16},
  {"<u4", datatype::uint32},
  {"<u8", datatype::uint64},
  {"|i1", datatype::int8},
  {"<i2", datatype::int16},
  {"<i4", datatype::int32},
  {"<i8", datatype::int64},
  {"<f2", datatype::fp16},
  {"<f4", datatype::fp32},
  {"<f8", datatype::fp64},
  {"<u1", datatype::uint8},
  {"<i1", datatype::int8},
}};

tl::unexpected<runtime::failure> broken(const std::string& words) {
  return runtime::fail(error_code::bad_input, "the header of the array is broken: " + words);
}

/// What stands behind `'key':` in the header's dictionary, without leading blanks.
std::optional<std::string_view> value_of(std::string_view dictionary, std::string_view key) {
  for (const char quote : {'\'', '"'}) {
    const std::string quoted = quote + std::string{key} + quote;
    std::size_t at = dictionary.find(quoted);
    if (at == std::string_view::npos)
      continue;
    at = dictionary.find_first_not_of(" ", at + quoted.size());
    if (at == std::string_view::npos || dictionary[at] != ':')
      return std::nullopt;
    at = dictionary.find_first_not_of(" ", at + 1);
    if (at == std::string_view::npos)
      return std::nullopt;
    return dictionary.substr(at);
  }
  return std::nullopt;
}

std::optional<std::string_view> quoted_text(std::string_view value) {
  if (value.empty() || (value.front() != '\'' && value.front() != '"'))
    return std::nullopt;
  const std::size_t end = value.find(value.front(), 1);
  if (end == std::string_view::npos)
    return std::nullopt;
  return value.substr(1, end - 1);
}

/// The numbers of a tuple such as "(3, 4)", "(3,)" or "()".
std::optional<std::vector<std::int64_t>> tuple_of(std::string_view value) {
  std::vector<std::int64_t> numbers;
  if (value.empty() || value.front() != '(')
    return std::nullopt;
  value.remove_prefix(1);
  while (true) {
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    if (value.starts_with(')'))
      return numbers;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc{} || number < 0)
      return std::nullopt;
    numbers.push_back(number);
    value.remove_prefix(static_cast<std::size_t>(end - value.data()));
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    if (value.starts_with(','))
      value.remove_prefix(1);
    else if (!value.starts_with(')'))
      return std::nullopt;
  }
}

runtime::expected<npy_header> parse_dictionary(std::string_view dictionary) {
  const auto descr = value_of(dictionary, "descr");
  const auto order = value_of(dictionary, "fortran_order");
  const auto shape = value_of(dictionary, "shape");
  if (!descr || !order || !shape)
    return broken("descr, fortran_order or shape is missing");
  const auto code = quoted_text(*descr);
  if (!code)
    return runtime::fail(error_code::unsupported, "structured arrays are not read");
  const auto type = std::find_if(type_codes.begin(), type_codes.end(),
                                 [&](const type_code& each) { return each.code == *code; });
  if (type == type_codes.end())
    return runtime::fail(error_code::unsupported,
                         "arrays of \"" + std::string{*code}
                           + "\" are not read; expected little-endian numbers like <f4 or <i8");
  if (order->starts_with("True"))
    return runtime::fail(error_code::unsupported,
                         "arrays in Fortran order are not read; save it in C order");
  if (!order->starts_with("False"))
    return broken("fortran_order is neither True nor False");
  auto dims = tuple_of(*shape);
  if (!dims)
    return broken("shape is no tuple of sizes");
  return npy_header{type->type, std::move(*dims), 0};
}

std::optional<std::uint64_t> row_bytes_of(const npy_header& header) {
  std::vector<std::int64_t> row_shape = header.shape;
  if (!row_shape.empty())
    row_shape.erase(row_shape.begin());
  const auto elements = element_count(row_shape);
  const std::size_t size = size_of(header.type);
  if (!elements || *elements > std::numeric_limits<std::int64_t>::max() / size)
    return std::nullopt;
  return *elements * size;
}

/// Asked without a product, which could overflow.
bool holds_rows(std::uint64_t data_size, std::uint64_t rows, std::uint64_t row_bytes) {
  if (row_bytes == 0 || rows == 0)
    return data_size == 0;
  return data_size % row_bytes == 0 && data_size / row_bytes == rows;
}

std::size_t little_endian(std::string_view bytes) {
  std::size_t number = 0;
  for (std::size_t index = bytes.size(); index > 0; --index)
    number = (number << 8) | static_cast<unsigned char>(bytes[index - 1]);
  return number;
}

}  // namespace

runtime::expected<npy_header> parse_npy_header(std::string_view start) {
  if (start.size() < magic.size() + 4 || !start.starts_with(magic))
    return runtime::fail(error_code::bad_input, "this is no .npy file");
  const int version = start[magic.size()];
  if (version < 1 || version > 3)
    return runtime::fail(error_code::unsupported, ".npy format version " + std::to_string(version)
                                                    + " is not read");
  const std::size_t length_size = version == 1 ? 2 : 4;
  const std::size_t begin = magic.size() + 2 + length_size;
  if (start.size() < begin)
    return broken("it ends too early");
  const std::size_t length = little_endian(start.substr(magic.size() + 2, length_size));
  if (length > start.size() - begin)
    return broken("it ends too early, or is longer than 64 KiB");
  auto header = parse_dictionary(start.substr(begin, length));
  if (header)
    header->data_offset = begin + length;
  return header;
}

std::string npy_header_of(datatype type, const std::vector<std::int64_t>& shape) {
  const auto code = std::find_if(type_codes.begin(), type_codes.end(),
                                 [&](const type_code& each) { return each.type == type; });
  if (code == type_codes.end())
    return {};
  std::string dictionary =
    "{'descr': '" + std::string{code->code} + "', 'fortran_order': False, 'shape': (";
  for (std::size_t index = 0; index < shape.size(); ++index)
    dictionary += (index == 0 ? "" : " ") + std::to_string(shape[index]) + ",";
  dictionary += "), }";
  const std::size_t prefix = magic.size() + 4;
  // The format asks for a data offset divisible by 64, and a line feed at the header's end.
  const std::size_t blocks = (prefix + dictionary.size()) / header_block + 1;
  dictionary.resize(blocks * header_block - prefix - 1, ' ');
  dictionary += '\n';
  std::string header{magic};
  header += '\x01';
  header += '\x00';
  header += static_cast<char>(dictionary.size() & 0xff);
  header += static_cast<char>(dictionary.size() >> 8);
  return header + dictionary;
}

runtime::expected<npy_reader> npy_reader::open(const std::filesystem::path& path) {
  npy_reader reader;
  reader.name_ = path.filename().string();
  reader.file_.open(path, std::ios::binary);
  if (!reader.file_)
    return runtime::fail(error_code::not_found, reader.name_ + " can not be opened");
  std::string start(header_max, '\0');
  reader.file_.read(start.data(), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<std::size_t>(reader.file_.gcount()));
  auto header = parse_npy_header(start);
  if (!header)
    return runtime::fail(header.error().code, reader.name_ + ": " + header.error().message);
  reader.header_ = std::move(*header);
  const auto row_bytes = row_bytes_of(reader.header_);
  if (!row_bytes)
    return runtime::fail(error_code::bad_input, reader.name_ + ": a row is too large");
  reader.row_bytes_ = *row_bytes;
  std::error_code error;
  const std::uint64_t file_size = std::filesystem::file_size(path, error);
  const std::uint64_t data_size = file_size - std::min(file_size, reader.header_.data_offset);
  const std::uint64_t rows = reader.header_.shape.empty() ? 1 : reader.rows();
  if (error || !holds_rows(data_size, rows, *row_bytes))
    return runtime::fail(error_code::bad_input,
                         reader.name_ + ": " + std::to_string(data_size)
                           + " bytes of data are not what the header asks for");
  reader.file_.clear();
  reader.file_.seekg(static_cast<std::streamoff>(reader.header_.data_offset));
  return reader;
}

std::uint64_t npy_reader::rows() const noexcept {
  return header_.shape.empty() ? 0 : static_cast<std::uint64_t>(header_.shape.front());
}

runtime::expected<std::uint64_t> npy_reader::read_rows(std::uint64_t rows_max,
                                                       std::vector<char>& target) {
  const std::uint64_t count = std::min(rows_max, rows() - next_row_);
  const std::uint64_t wanted = count * row_bytes_;
  const std::size_t before = target.size();
  target.resize(before + wanted);
  file_.read(target.data() + before, static_cast<std::streamsize>(wanted));
  if (static_cast<std::uint64_t>(file_.gcount()) != wanted)
    return runtime::fail(error_code::bad_input, name_ + ": the file has become shorter");
  next_row_ += count;
  return count;
}

}  // namespace dim::models
