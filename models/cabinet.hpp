#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "models/tensor.hpp"
#include "runtime/errors.hpp"

/// Data cabinets: named sets of tensors that live on a node and never leave it.
namespace dim::models {

/// One tensor of a cabinet: every row of it comes from one row of its file.
struct cabinet_column {
  /// The name of the tensor, which is the name of a model's input.
  std::string name;
  datatype type = datatype::fp32;
  /// The shape of one row, without the rows' dimension.
  std::vector<std::int64_t> row_shape;
  /// The `.npy` or `.csv` file in the cabinet's folder.
  std::string file;
  /// CSV only: the columns whose values make up a row, in this order; none means all.
  std::vector<std::string> csv_columns;

  bool operator==(const cabinet_column&) const = default;
};

/// Reads a cabinet from its first row to its last, batch by batch, in memory bounded by the batch.
class cabinet_reader {
public:
  cabinet_reader(cabinet_reader&&) noexcept;
  cabinet_reader& operator=(cabinet_reader&&) noexcept;
  ~cabinet_reader();

  /// The next rows, at most `rows_max` (1 or more), as one tensor a column of shape [rows, row
  /// shape...], attached, with digest and size set. An empty list at the end. Errors: bad_input (a
  /// file has changed or is broken; names file and line).
  runtime::expected<tensor_list> next(std::uint64_t rows_max);

private:
  friend class cabinet;
  struct source;
  explicit cabinet_reader(std::vector<source> sources);

  std::vector<source> sources_;
};

/// A folder with a manifest `cabinet.toml`:
///
///     name = "patients"
///     description = "Records of the ward"
///     [[tensors]]
///     name = "x"
///     datatype = "FP32"
///     shape = [8]                 # of one row
///     file = "records.csv"        # or a .npy of shape [rows, 8]
///     columns = ["age", "weight"] # CSV only; all columns where it is left out
///
/// A cabinet is a value: it holds the manifest and the number of rows, no open file. It may be
/// copied and read by several readers at once.
class cabinet {
public:
  /// Reads the manifest, the header of every `.npy` file, and every CSV file from end to end, in
  /// bounded memory: keep the cabinet, rather than opening it for each use. Errors: not_found (no
  /// manifest), bad_input with every problem in `details` (manifest, unreadable file, broken line,
  /// a type or shape other than declared, columns with different numbers of rows).
  static runtime::expected<cabinet> open(const std::filesystem::path& folder);

  const std::string& name() const noexcept {
    return name_;
  }
  const std::string& description() const noexcept {
    return description_;
  }
  std::uint64_t rows() const noexcept {
    return rows_;
  }
  const std::vector<cabinet_column>& columns() const noexcept {
    return columns_;
  }
  /// The names of the tensors.
  std::vector<std::string> column_names() const;

  /// A reader at the first row. Errors: bad_input (a file is gone or has changed its form).
  runtime::expected<cabinet_reader> read() const;

private:
  cabinet() = default;

  std::filesystem::path folder_;
  std::string name_;
  std::string description_;
  std::vector<cabinet_column> columns_;
  std::uint64_t rows_ = 0;
};

/// The cabinets below a folder.
struct cabinet_listing {
  /// Ordered by name.
  std::vector<cabinet> cabinets;
  /// Why a folder was left out, each in words.
  std::vector<std::string> problems;
};

/// Opens every sub-folder of `folder` that has a `cabinet.toml`. Two cabinets of one name are a
/// problem, and the first by folder name is kept. A folder that does not exist has no cabinets.
cabinet_listing list_cabinets(const std::filesystem::path& folder);

}  // namespace dim::models
