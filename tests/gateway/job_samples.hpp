#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "gateway/job_json_reader.hpp"

namespace dim::tests {

/// An input of two numbers, named "x".
nlohmann::json sample_tensor();

/// A small good submission of a pattern.
nlohmann::json job_of(std::string_view pattern);
/// `job_of("single")` with a name, and a model without a version.
nlohmann::json single_job();

runtime::expected<actors::job_spec> read_text(std::string_view text);
/// Reads a job that must be good.
actors::job_spec read_good(const nlohmann::json& job);
/// The problems of a job that must be refused as `bad_input`.
std::vector<std::string> problems_of(const nlohmann::json& job);

}  // namespace dim::tests
