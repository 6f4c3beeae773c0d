#pragma once

#include <filesystem>
#include <string_view>

#include "runtime/errors.hpp"
#include "tools/sample_models/classifiers.hpp"

namespace dim::tools {

/// Writes `text` to a file, making the folders above it. Throws std::runtime_error.
void write_file(const std::filesystem::path& path, std::string_view text);

/// Writes `<folder>/<name>/1/model.pt` and `<folder>/<name>/config.toml`, replacing what is there,
/// and opens the file as a repository would. Errors: bad_model and what else `verify_model_file`
/// names.
runtime::expected<void> write_model(const std::filesystem::path& folder, sample_model& model);

}  // namespace dim::tools
