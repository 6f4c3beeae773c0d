#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "models/model.hpp"
#include "tests/models/script_file.hpp"
#include "tests/support/temporary_folder.hpp"

namespace dim::tests {

/// A TorchScript file in a folder of its own.
struct script {
  explicit script(const std::string& source,
                  const std::vector<script_parameter>& parameters = {}) {
    write_script(path(), source, parameters);
  }
  std::filesystem::path path() const {
    return folder / "model.pt";
  }
  runtime::expected<models::model> load(const models::model_spec& spec) const {
    return models::model::load(path(), spec, "cpu:0", 1);
  }
  models::model loaded(const models::model_spec& spec) const {
    auto opened = load(spec);
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message));
    return std::move(*opened);
  }
  /// Why it can not be loaded.
  std::string refusal(const models::model_spec& spec) const {
    const auto opened = load(spec);
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code == runtime::error_code::bad_model);
    return opened.error().message;
  }
  temporary_folder folder;
};

}  // namespace dim::tests
