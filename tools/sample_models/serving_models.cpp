#include "tools/sample_models/serving_models.hpp"

#include <cmath>
#include <string>
#include <utility>

namespace dim::tools {

namespace {

constexpr std::int64_t simple_size = 16;
constexpr std::int64_t simple_batch = 8;
constexpr std::int64_t wide_inputs = 1024;
constexpr std::int64_t wide_hidden = 4096;
constexpr std::int64_t classes = 10;
constexpr std::int64_t image_side = 64;
constexpr std::int64_t bench_batch = 64;

models::model_spec simple_spec(const std::string& name, models::model_kind kind,
                               models::datatype type, std::size_t tensors, std::int64_t size) {
  models::model_spec spec;
  spec.name = name;
  spec.kind = kind;
  spec.max_batch_size = simple_batch;
  spec.isolated = models::isolation::thread;
  for (std::size_t index = 0; index < tensors; ++index) {
    spec.inputs.push_back({"INPUT" + std::to_string(index), type, {size}, {}});
    spec.outputs.push_back({"OUTPUT" + std::to_string(index), type, {size}, {}});
  }
  return spec;
}

/// Random weights, scaled for the number of inputs, and no bias.
void add_weight(torch::jit::Module& module, const std::string& name,
                std::vector<std::int64_t> shape, std::int64_t inputs) {
  const double scale = 1 / std::sqrt(static_cast<double>(inputs));
  module.register_parameter(name, torch::randn(shape) * scale, false);
}

models::model_spec bench_spec(const std::string& name, const std::string& description,
                              std::vector<std::int64_t> dims) {
  models::model_spec spec;
  spec.name = name;
  spec.description = description;
  spec.max_batch_size = bench_batch;
  spec.inputs.push_back({"x", models::datatype::fp32, std::move(dims), {}});
  spec.outputs.push_back({"scores", models::datatype::fp32, {classes}, {}});
  return spec;
}

sample_model make_wide_mlp() {
  torch::jit::Module module("bench_mlp_large");
  add_weight(module, "weight_1", {wide_inputs, wide_hidden}, wide_inputs);
  add_weight(module, "weight_2", {wide_hidden, wide_hidden}, wide_hidden);
  add_weight(module, "weight_3", {wide_hidden, classes}, wide_hidden);
  module.define(R"(
def forward(self, x):
    h = torch.relu(torch.mm(x, self.weight_1))
    h = torch.relu(torch.mm(h, self.weight_2))
    return torch.mm(h, self.weight_3)
)");
  return {bench_spec("bench-mlp-large", "layers of 4096, 4096 and 10", {wide_inputs}),
          std::move(module)};
}

sample_model make_cnn() {
  constexpr std::int64_t window = 9;
  torch::jit::Module module("bench_cnn");
  add_weight(module, "filters_1", {32, 3, 3, 3}, window * 3);
  add_weight(module, "filters_2", {64, 32, 3, 3}, window * 32);
  add_weight(module, "filters_3", {128, 64, 3, 3}, window * 64);
  add_weight(module, "filters_4", {128, 128, 3, 3}, window * 128);
  add_weight(module, "weight", {128, classes}, 128);
  module.define(R"(
def forward(self, x):
    h = torch.relu(torch.conv2d(x, self.filters_1, None, [1, 1], [1, 1]))
    h = torch.relu(torch.conv2d(h, self.filters_2, None, [2, 2], [1, 1]))
    h = torch.relu(torch.conv2d(h, self.filters_3, None, [1, 1], [1, 1]))
    h = torch.relu(torch.conv2d(h, self.filters_4, None, [2, 2], [1, 1]))
    return torch.mm(torch.mean(h, [2, 3]), self.weight)
)");
  return {bench_spec("bench-cnn", "four convolutions of 3 x 3", {3, image_side, image_side}),
          std::move(module)};
}

/// Takes a mebibyte a row and gives four bytes: what it costs is the way of its input.
sample_model make_mean() {
  constexpr std::int64_t mebibyte_of_floats = 262'144;
  torch::jit::Module module("bench_mean");
  module.define("def forward(self, x):\n    return torch.mean(x, 1, True)\n");
  auto spec = bench_spec("bench-mean", "the mean of 262,144 numbers", {mebibyte_of_floats});
  spec.outputs.front().dims = {1};
  return {std::move(spec), std::move(module)};
}

}  // namespace

std::vector<models::model_spec> make_protocol_models() {
  using models::datatype;
  using models::model_kind;
  return {simple_spec("simple", model_kind::add_sub, datatype::int32, 2, simple_size),
          simple_spec("simple_string", model_kind::add_sub, datatype::bytes, 2, simple_size),
          simple_spec("simple_identity", model_kind::identity, datatype::bytes, 1, -1)};
}

std::vector<sample_model> make_bench_models() {
  std::vector<sample_model> made;
  made.push_back(make_wide_mlp());
  made.push_back(make_cnn());
  made.push_back(make_mean());
  return made;
}

}  // namespace dim::tools
