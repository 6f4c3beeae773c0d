#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "models/tensor.hpp"
#include "runtime/errors.hpp"

namespace dim::models {

/// What the header of a `.npy` file says.
struct npy_header {
  datatype type = datatype::fp32;
  std::vector<std::int64_t> shape;
  /// Where the elements begin, in bytes from the start of the file.
  std::uint64_t data_offset = 0;
};

/// Reads the header of a NumPy array file, format versions 1.0, 2.0 and 3.0 (NEP 1). `start` is the
/// beginning of the file, 64 KiB or all of it. Only little-endian arrays in C order are read.
/// Errors: bad_input, unsupported (big-endian, Fortran order, structured or object arrays).
runtime::expected<npy_header> parse_npy_header(std::string_view start);

/// The header that begins a `.npy` file, version 1.0, for `type` and `shape`. BF16 and BYTES have
/// no such form: an empty text.
std::string npy_header_of(datatype type, const std::vector<std::int64_t>& shape);

/// Reads an array row by row: the first dimension is the rows. Holds one block in memory, never the
/// file.
class npy_reader {
public:
  /// Opens the file and checks that its size is what the header asks for. Errors: not_found,
  /// bad_input, unsupported.
  static runtime::expected<npy_reader> open(const std::filesystem::path& path);

  const npy_header& header() const noexcept {
    return header_;
  }
  /// The first dimension; 0 for an array without dimensions.
  std::uint64_t rows() const noexcept;
  /// Bytes of one row.
  std::uint64_t row_bytes() const noexcept {
    return row_bytes_;
  }
  /// Appends the bytes of the next rows to `target`, at most `rows_max`; returns how many rows were
  /// there, 0 at the end. Errors: bad_input (the file has become shorter).
  runtime::expected<std::uint64_t> read_rows(std::uint64_t rows_max, std::vector<char>& target);

private:
  npy_reader() = default;

  std::string name_;
  std::ifstream file_;
  npy_header header_;
  std::uint64_t row_bytes_ = 0;
  std::uint64_t next_row_ = 0;
};

}  // namespace dim::models
