#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "runtime/errors.hpp"

/// What people have asked to be served, as it survives a restart: the file `.serving` of a model
/// repository, in TOML.
namespace dim::models {

/// What somebody has asked of one model, in place of what the repository says.
struct model_wish {
  /// False: it was unloaded, and stays so until it is loaded again.
  bool is_loaded = true;
  /// Versions to serve; empty: those that the version policy chooses.
  std::vector<std::uint64_t> versions;
  /// JSON of Triton's model configuration, over the repository's; empty: none.
  std::string config_json;
  /// Above 0 in files of programs that kept the configuration's revision here; never written.
  std::uint32_t revision = 0;

  bool operator==(const model_wish&) const = default;
};

/// What an alias stands for.
struct alias_target {
  std::string model;
  /// Empty: the highest that is served.
  std::string version;

  bool operator==(const alias_target&) const = default;
};

struct serving_wishes {
  std::map<std::string, model_wish> models;
  std::map<std::string, alias_target> aliases;

  bool operator==(const serving_wishes&) const = default;
};

/// Reads the file; one that is not there holds no wishes. Errors: bad_input (not such a file, with
/// every problem), too_large.
runtime::expected<serving_wishes> read_serving_wishes(const std::filesystem::path& path);

/// Writes the file, whole or not at all. Errors: store_full, internal.
runtime::expected<void> write_serving_wishes(const std::filesystem::path& path,
                                             const serving_wishes& wishes);

}  // namespace dim::models
