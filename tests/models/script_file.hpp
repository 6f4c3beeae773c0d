#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace dim::tests {

/// A parameter of a TorchScript module.
struct script_parameter {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

/// Writes a TorchScript file with a module of these methods (TorchScript source text) and
/// parameters. It stands behind this header so that no test sees LibTorch, whose macros are named
/// like doctest's.
void write_script(const std::filesystem::path& path, const std::string& source,
                  const std::vector<script_parameter>& parameters = {});

}  // namespace dim::tests
