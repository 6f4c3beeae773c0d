#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "models/model_spec.hpp"
#include "runtime/bytes.hpp"
#include "runtime/errors.hpp"

/// A model whose files came with the request to serve it, in place of a repository's.
namespace dim::models {

/// By path in the model's folder: "1/model.pt", "labels.txt".
using sent_files = std::map<std::string, runtime::bytes>;

inline constexpr std::size_t sent_files_max = 1'024;

/// Whether one of the files is a version's; else there can only be labels among them.
bool has_version(const sent_files& files);

struct sent_model {
  model_spec spec;
  /// What is run, by version: the program's file, or the configuration in TOML where there is none
  /// (as in a `repository`).
  std::map<std::uint64_t, runtime::bytes> versions;
  /// Files that nothing reads, in order.
  std::vector<std::string> unused;
};

/// Reads what was sent as a repository would read the model's folder: the program stands in
/// `<version>/model.pt`, or under the configuration's `default_model_filename`; labels stand in the
/// folder itself. `config_json` is a whole configuration. Errors: bad_input (no configuration, no
/// version, or every path that is none, in `details`), those of `parse_whole_triton_json`.
runtime::expected<sent_model> read_sent_model(const std::string& name,
                                              const std::string& config_json,
                                              const sent_files& files);

/// The labels in a file, one a line; the end of the last line is no label.
std::vector<std::string> read_labels(std::string_view text);

}  // namespace dim::models
