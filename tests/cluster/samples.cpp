#include "tests/cluster/samples.hpp"

#include <fstream>

#include <doctest/doctest.h>

#include "tests/cluster/process.hpp"

namespace dim::tests {

nlohmann::json digit_input(const std::vector<double>& pixels) {
  return {{"name", "x"}, {"datatype", "FP32"}, {"shape", {1, pixels.size()}}, {"data", pixels}};
}

const std::vector<digit>& sample_digits() {
  static const std::vector<digit> digits = [] {
    std::ifstream input{sample_folder() / "samples" / "digits.json"};
    std::vector<digit> result;
    auto parsed = nlohmann::json::parse(input);
    for (auto& one : parsed.at("digits"))
      result.push_back({one.at("x").get<std::vector<double>>(), one.at("label").get<int>()});
    return result;
  }();
  return digits;
}

std::filesystem::path sample_folder() {
  static const std::filesystem::path folder = [] {
    std::filesystem::path result = std::string{DIM_BINARY_DIR} + "/samples";
    if (std::filesystem::exists(result / "samples" / "digits.json"))
      return result;
    auto log = std::filesystem::temp_directory_path() / "dim-sample-models.log";
    process make{program_path("sample-models"), {"--out", result.string()}, log};
    if (make.wait(std::chrono::minutes{5}) != 0)
      FAIL("could not make the sample models:\n", tail_of(log, 2000));
    return result;
  }();
  return folder;
}

}  // namespace dim::tests
