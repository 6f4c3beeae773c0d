#include "tools/sample_models/patients.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <torch/optim/adam.h>
#include <torch/csrc/jit/runtime/graph_executor.h>

#include "tools/sample_models/distributions.hpp"

namespace dim::tools {

namespace {

constexpr auto columns = static_cast<std::int64_t>(patient_columns.size());
constexpr std::int64_t hidden = 16;
constexpr std::int64_t training_rows = 4000;
constexpr std::int64_t batch_size = 100;
constexpr int epochs = 25;
constexpr double learning_rate = 5e-3;
constexpr double label_noise = 0.02;
constexpr std::int64_t run_rows = 1000;

using record = std::array<double, patient_columns.size()>;

record random_record(const ward& seen, runtime::random_source& random) {
  record r{};
  r[0] = std::round(std::clamp(normal(random, seen.mean_age, 14), 18.0, 98.0));
  r[1] = random.unit() < 0.5 ? 1 : 0;
  r[2] = std::clamp(normal(random, seen.mean_bmi, 4), 15.0, 50.0);
  r[3] = std::clamp(normal(random, 105 + 0.35 * r[0] + 0.3 * (r[2] - 25), 12), 85.0, 220.0);
  r[4] = std::clamp(normal(random, 150 + 0.8 * r[0], 30), 90.0, 380.0);
  r[5] = std::clamp(normal(random, 80 + 0.9 * (r[2] - 20), 15), 55.0, 300.0);
  r[6] = random.unit() < seen.smoker_share ? 1 : 0;
  r[7] = std::clamp(normal(random, seen.mean_activity, 1.5), 0.0, 15.0);
  return r;
}

/// An invented rule, shaped like those that are in use.
double true_risk(const record& r) {
  const double sum = -3.2 + 0.06 * (r[0] - 50) + 0.4 * r[1] + 0.05 * (r[2] - 26)
                     + 0.025 * (r[3] - 125) + 0.008 * (r[4] - 195) + 0.015 * (r[5] - 90)
                     + 0.8 * r[6] - 0.15 * r[7] + 0.01 * (r[0] - 50) * r[6];
  return 1 / (1 + std::exp(-sum));
}

sample_model untrained_risk(const torch::Tensor& records) {
  sample_model made{{}, torch::jit::Module("risk")};
  made.spec.name = "risk";
  made.spec.description = "Risk of a patient-like record: ";
  for (const std::string_view column : patient_columns)
    made.spec.description += std::string{column == patient_columns.front() ? "" : ", "}
                             + std::string{column};
  made.spec.max_batch_size = 4096;
  made.spec.inputs.push_back({"x", models::datatype::fp32, {columns}, {}});
  made.spec.outputs.push_back({"risk", models::datatype::fp32, {1}, {}});
  made.module.register_buffer("mean", records.mean(0));
  made.module.register_buffer("deviation", records.std(0));
  const auto add = [&](const std::string& name, std::int64_t inputs, std::int64_t outputs) {
    made.module.register_parameter(
      "weight_" + name, torch::randn({inputs, outputs}) / std::sqrt(static_cast<double>(inputs)),
      false);
    made.module.register_parameter("bias_" + name, torch::zeros({outputs}), false);
  };
  add("1", columns, hidden);
  add("2", hidden, 1);
  made.module.define(R"(
def forward(self, x):
    z = (x - self.mean) / self.deviation
    h = torch.tanh(torch.addmm(self.bias_1, z, self.weight_1))
    return torch.sigmoid(torch.addmm(self.bias_2, h, self.weight_2))
)");
  return made;
}

}  // namespace

std::array<ward, 3> sample_wards() {
  return {ward{"node-1", 48, 26, 0.22, 3}, ward{"node-2", 74, 27.5, 0.12, 1.5},
          ward{"node-3", 31, 23, 0.08, 7}};
}

patient_set make_patients(const ward& seen, std::int64_t count, std::uint64_t seed) {
  runtime::random_source random(seed);
  patient_set patients{torch::empty({count, columns}), torch::empty({count, 1})};
  auto* values = patients.records.data_ptr<float>();
  auto* risks = patients.risk.data_ptr<float>();
  for (std::int64_t index = 0; index < count; ++index) {
    record drawn = random_record(seen, random);
    // Measured values have one decimal place.
    for (double& value : drawn) {
      value = std::round(value * 10) / 10;
      *values++ = static_cast<float>(value);
    }
    *risks++ = static_cast<float>(true_risk(drawn));
  }
  return patients;
}

sample_model make_risk(std::uint64_t seed) {
  const torch::jit::GraphOptimizerEnabledGuard plain(false);
  std::vector<torch::Tensor> records;
  std::vector<torch::Tensor> risks;
  for (const ward& seen : sample_wards()) {
    const patient_set patients = make_patients(seen, training_rows, seed++);
    records.push_back(patients.records);
    risks.push_back(patients.risk);
  }
  const torch::Tensor inputs = torch::cat(records);
  const torch::Tensor targets = torch::cat(risks);
  const torch::Tensor noisy = targets + label_noise * torch::randn(targets.sizes());
  sample_model made = untrained_risk(inputs);
  std::vector<torch::Tensor> parameters;
  for (torch::Tensor each : made.module.parameters())
    parameters.push_back(each.requires_grad_(true));
  torch::optim::Adam optimizer(parameters, torch::optim::AdamOptions(learning_rate));
  for (int epoch = 0; epoch < epochs; ++epoch) {
    const torch::Tensor order = torch::randperm(inputs.size(0), torch::kInt64);
    for (std::int64_t begin = 0; begin < inputs.size(0); begin += batch_size) {
      const torch::Tensor chosen = order.slice(0, begin, begin + batch_size);
      optimizer.zero_grad();
      const torch::Tensor answers =
        made.module.forward({inputs.index_select(0, chosen)}).toTensor();
      at::mse_loss(answers, noisy.index_select(0, chosen)).backward();
      optimizer.step();
    }
  }
  for (torch::Tensor& each : parameters)
    each.requires_grad_(false);
  return made;
}

double explained_share(torch::jit::Module& module, const patient_set& patients) {
  const torch::NoGradGuard no_gradients;
  const torch::Tensor truth = patients.risk.to(torch::kFloat64);
  const torch::Tensor answers = module.forward({patients.records}).toTensor().to(torch::kFloat64);
  const double left = (answers - truth).square().sum().item<double>();
  const double whole = (truth - truth.mean()).square().sum().item<double>();
  return 1 - left / whole;
}

double mean_risk(torch::jit::Module& module, const torch::Tensor& records) {
  const torch::NoGradGuard no_gradients;
  const std::int64_t rows = records.size(0);
  double sum = 0;
  for (std::int64_t begin = 0; begin < rows; begin += run_rows) {
    const torch::Tensor part = records.slice(0, begin, std::min(begin + run_rows, rows));
    sum += module.forward({part}).toTensor().to(torch::kFloat64).sum().item<double>();
  }
  return sum / static_cast<double>(rows);
}

}  // namespace dim::tools
