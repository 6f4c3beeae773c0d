#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <torch/script.h>

#include "tools/sample_models/classifiers.hpp"

/// Patient-like records, all invented, and a model of the risk they carry.
namespace dim::tools {

/// What a record holds, in this order.
inline constexpr std::array<std::string_view, 8> patient_columns{
  "age", "male", "bmi", "systolic", "cholesterol", "glucose", "smoker", "activity_hours"};

/// The people whom one node's ward sees.
struct ward {
  std::string node;
  double mean_age = 50;
  double mean_bmi = 26;
  double smoker_share = 0.2;
  double mean_activity = 3;
};

/// Three wards that differ: a general one, an old people's one, and a sports clinic.
std::array<ward, 3> sample_wards();

/// Records as FP32 [n, 8], and the true risk of each, FP32 [n, 1], from 0 to 1.
struct patient_set {
  torch::Tensor records;
  torch::Tensor risk;
};

patient_set make_patients(const ward& seen, std::int64_t count, std::uint64_t seed);

/// The model `risk`, trained on records of all wards with noise on their risk: takes `x`, FP32
/// [rows, 8], in the records' own units, and gives `risk`, FP32 [rows, 1].
sample_model make_risk(std::uint64_t seed);

/// The share of the true risk's variance that the model explains (R squared), at most 1.
double explained_share(torch::jit::Module& module, const patient_set& patients);

/// The mean of the model's answers over all records, in FP64.
double mean_risk(torch::jit::Module& module, const torch::Tensor& records);

}  // namespace dim::tools
