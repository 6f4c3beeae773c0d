#include "tools/sample_models/classifiers.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <torch/optim/adam.h>
#include <torch/csrc/jit/runtime/graph_executor.h>

#include "runtime/random_source.hpp"
#include "tools/sample_models/glyphs.hpp"

namespace dim::tools {

namespace {

constexpr std::int64_t hidden = 128;
constexpr std::int64_t filters_1 = 12;
constexpr std::int64_t filters_2 = 24;
constexpr std::int64_t flat = filters_2 * (digit_side / 2) * (digit_side / 2);
constexpr std::int64_t batch_size = 64;
constexpr int epochs = 12;
constexpr double learning_rate = 3e-3;
constexpr double raw_span = 255;

models::model_spec classifier_spec(const std::string& name, const std::string& description) {
  models::model_spec spec;
  spec.name = name;
  spec.description = description;
  spec.max_batch_size = 64;
  spec.inputs.push_back({"x", models::datatype::fp32, {digit_pixels}, {}});
  spec.outputs.push_back({"scores", models::datatype::fp32, {digit_classes}, {}});
  for (int digit = 0; digit < digit_classes; ++digit)
    spec.outputs.front().labels.push_back(std::to_string(digit));
  return spec;
}

/// Registers weights of a layer, scaled for its number of inputs (He et al. 2015), and its bias.
void add_layer(torch::jit::Module& module, const std::string& name, std::vector<std::int64_t> shape,
               std::int64_t inputs, std::int64_t outputs) {
  const double scale = std::sqrt(2.0 / static_cast<double>(inputs));
  module.register_parameter("weight_" + name, torch::randn(shape) * scale, false);
  module.register_parameter("bias_" + name, torch::zeros({outputs}), false);
}

void define_forward(torch::jit::Module& module, const std::string& logits) {
  module.define(logits);
  module.define("def forward(self, x):\n    return torch.softmax(self.logits(x), 1)\n");
}

sample_model make_linear() {
  torch::jit::Module module("digits_linear");
  add_layer(module, "1", {digit_pixels, digit_classes}, digit_pixels, digit_classes);
  define_forward(module, R"(
def logits(self, x):
    return torch.addmm(self.bias_1, x, self.weight_1)
)");
  return {classifier_spec("digits-linear", "8x8 digits, one linear layer"), std::move(module)};
}

sample_model make_mlp() {
  torch::jit::Module module("digits_mlp");
  add_layer(module, "1", {digit_pixels, hidden}, digit_pixels, hidden);
  add_layer(module, "2", {hidden, hidden}, hidden, hidden);
  add_layer(module, "3", {hidden, digit_classes}, hidden, digit_classes);
  define_forward(module, R"(
def logits(self, x):
    h = torch.relu(torch.addmm(self.bias_1, x, self.weight_1))
    h = torch.relu(torch.addmm(self.bias_2, h, self.weight_2))
    return torch.addmm(self.bias_3, h, self.weight_3)
)");
  return {classifier_spec("digits-mlp", "8x8 digits, layers of 128, 128 and 10"),
          std::move(module)};
}

sample_model make_cnn() {
  constexpr std::int64_t window = 9;
  torch::jit::Module module("digits_cnn");
  add_layer(module, "1", {filters_1, 1, 3, 3}, window, filters_1);
  add_layer(module, "2", {filters_2, filters_1, 3, 3}, window * filters_1, filters_2);
  add_layer(module, "3", {flat, digit_classes}, flat, digit_classes);
  define_forward(module, R"(
def logits(self, x):
    h = torch.reshape(x, [-1, 1, 8, 8])
    h = torch.relu(torch.conv2d(h, self.weight_1, self.bias_1, [1, 1], [1, 1]))
    h = torch.relu(torch.conv2d(h, self.weight_2, self.bias_2, [1, 1], [1, 1]))
    h = torch.flatten(torch.max_pool2d(h, [2, 2]), 1)
    return torch.addmm(self.bias_3, h, self.weight_3)
)");
  return {classifier_spec("digits-cnn", "8x8 digits, two convolutions of 12 and 24 filters"),
          std::move(module)};
}

}  // namespace

digit_set make_digits(std::int64_t count, std::uint64_t seed) {
  runtime::random_source random(seed);
  digit_set digits{torch::empty({count, digit_pixels}), torch::empty({count}, torch::kInt64)};
  auto* pixels = digits.brightness.data_ptr<float>();
  auto* labels = digits.labels.data_ptr<std::int64_t>();
  for (std::int64_t index = 0; index < count; ++index) {
    const int digit = static_cast<int>(index % digit_classes);
    const digit_picture picture = draw_digit(digit, random);
    for (const float value : picture)
      *pixels++ = value / static_cast<float>(raw_span);
    *labels++ = digit;
  }
  return digits;
}

std::vector<sample_model> make_classifiers() {
  std::vector<sample_model> made;
  made.push_back(make_linear());
  made.push_back(make_mlp());
  made.push_back(make_cnn());
  return made;
}

void train_classifier(torch::jit::Module& module, const digit_set& digits) {
  const torch::jit::GraphOptimizerEnabledGuard plain(false);
  std::vector<torch::Tensor> parameters;
  for (torch::Tensor each : module.parameters())
    parameters.push_back(each.requires_grad_(true));
  torch::optim::Adam optimizer(parameters, torch::optim::AdamOptions(learning_rate));
  auto logits = module.get_method("logits");
  const std::int64_t count = digits.labels.size(0);
  for (int epoch = 0; epoch < epochs; ++epoch) {
    // Smaller steps towards the end, so that the last of them do not undo the first.
    for (auto& group : optimizer.param_groups())
      static_cast<torch::optim::AdamOptions&>(group.options())
        .lr(learning_rate * (epochs - epoch) / epochs);
    const torch::Tensor order = torch::randperm(count, torch::kInt64);
    for (std::int64_t begin = 0; begin < count; begin += batch_size) {
      const torch::Tensor chosen = order.slice(0, begin, std::min(begin + batch_size, count));
      optimizer.zero_grad();
      const torch::Tensor scores =
        logits({digits.brightness.index_select(0, chosen)}).toTensor();
      at::cross_entropy_loss(scores, digits.labels.index_select(0, chosen)).backward();
      optimizer.step();
    }
  }
  for (torch::Tensor& each : parameters)
    each.requires_grad_(false);
}

double accuracy_of(torch::jit::Module& module, const digit_set& digits) {
  const torch::NoGradGuard no_gradients;
  const torch::Tensor scores = module.forward({digits.brightness}).toTensor();
  return scores.argmax(1).eq(digits.labels).to(torch::kFloat64).mean().item<double>();
}

sample_model make_standardize() {
  sample_model made{{}, torch::jit::Module("standardize")};
  made.spec.name = "standardize";
  made.spec.description = "Raw pixels from 0 to 255 into the brightness that classifiers take";
  made.spec.max_batch_size = 64;
  made.spec.inputs.push_back({"x", models::datatype::fp32, {digit_pixels}, {}});
  made.spec.outputs = made.spec.inputs;
  made.module.register_buffer("mean", torch::zeros({digit_pixels}));
  made.module.register_buffer("span", torch::full({digit_pixels}, raw_span));
  made.module.define(R"(
def forward(self, x):
    return (x - self.mean) / self.span
)");
  return made;
}

}  // namespace dim::tools
