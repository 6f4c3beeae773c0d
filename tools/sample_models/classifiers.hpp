#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <torch/script.h>

#include "models/model_spec.hpp"

/// Training the digit classifiers and making the first step of a chain.
namespace dim::tools {

/// Digits as tensors: `brightness` is FP32 [n, 64] from 0 to 1, `labels` INT64 [n].
struct digit_set {
  torch::Tensor brightness;
  torch::Tensor labels;
};

/// Draws `count` digits, every class alike often.
digit_set make_digits(std::int64_t count, std::uint64_t seed);

/// A model with what its config.toml says.
struct sample_model {
  models::model_spec spec;
  torch::jit::Module module;
};

/// The untrained classifiers digits-linear, digits-mlp (64-128-128-10) and digits-cnn. Each takes
/// `x`, FP32 [rows, 64], brightness from 0 to 1, and gives `scores`, FP32 [rows, 10], which sum to
/// 1 in every row.
std::vector<sample_model> make_classifiers();

/// Trains the parameters of a classifier in place (Adam, cross-entropy).
void train_classifier(torch::jit::Module& module, const digit_set& digits);

/// The share of `digits` that the classifier labels rightly.
double accuracy_of(torch::jit::Module& module, const digit_set& digits);

/// The model `standardize`: takes `x`, FP32 [rows, 64], raw pixels from 0 to 255, and gives `x`,
/// the brightness from 0 to 1 that the classifiers take. Every pixel's zero and span are constants
/// in it.
sample_model make_standardize();

}  // namespace dim::tools
