#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "models/tensor.hpp"
#include "runtime/errors.hpp"

namespace dim::models {

/// Reads chosen columns of a CSV file (RFC 4180: a header line, commas, quoted fields) as rows of
/// numbers of one datatype. Holds one block of the file in memory, never the file. Blank lines are
/// skipped. Every problem names the file and its line.
class csv_reader {
public:
  /// Opens the file and finds `columns` in its header line, in the order in which their values make
  /// up a row; none means every column. `type` is any numeric datatype but FP16 and BF16; BOOL is
  /// read from 0, 1, true and false. Errors: not_found, bad_input (no header, a column is missing
  /// or named twice), unsupported (datatype).
  static runtime::expected<csv_reader> open(const std::filesystem::path& path,
                                            const std::vector<std::string>& columns, datatype type);

  csv_reader(csv_reader&&) noexcept;
  csv_reader& operator=(csv_reader&&) noexcept;
  ~csv_reader();

  /// The number of values in a row.
  std::size_t width() const noexcept;

  /// Appends the bytes of the next rows to `target`, at most `rows_max`; returns how many rows were
  /// there, 0 at the end. Errors: bad_input (a line with another number of fields than the header,
  /// a field that is no number or does not fit the datatype, a broken quote, a field over 1 MiB).
  runtime::expected<std::uint64_t> read_rows(std::uint64_t rows_max, std::vector<char>& target);

private:
  struct parser;
  explicit csv_reader(std::unique_ptr<parser> state);

  std::unique_ptr<parser> state_;
};

}  // namespace dim::models
