#pragma once

#include <filesystem>
#include <vector>

#include <nlohmann/json.hpp>

/// What `sample-models` makes: models, cabinets and inputs whose answers are known.
namespace dim::tests {

/// A row of 64 pixels in the form of a job's input "x".
nlohmann::json digit_input(const std::vector<double>& pixels);

/// Held-out digits with their labels, as `sample-models` wrote them.
struct digit {
  std::vector<double> pixels;
  int label = 0;
};
const std::vector<digit>& sample_digits();

/// Where the sample models are; they are made at the first call, once for all test programs.
std::filesystem::path sample_folder();

}  // namespace dim::tests
