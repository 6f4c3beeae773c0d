#include "tests/models/script_file.hpp"

#include <torch/script.h>

namespace dim::tests {

void write_script(const std::filesystem::path& path, const std::string& source,
                  const std::vector<script_parameter>& parameters) {
  torch::jit::Module module("test_module");
  for (const script_parameter& each : parameters)
    module.register_parameter(each.name, torch::tensor(each.values).reshape(each.shape), false);
  module.define(source);
  module.save(path.string());
}

}  // namespace dim::tests
