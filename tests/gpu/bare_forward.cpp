#include "tests/gpu/bare_forward.hpp"

#include <chrono>

#include <torch/script.h>
#include <torch/csrc/jit/runtime/graph_executor.h>

namespace dim::tests {

double bare_rows_per_second(const std::filesystem::path& path, const std::string& device,
                            std::int64_t rows, std::vector<std::int64_t> dims, double seconds) {
  using clock = std::chrono::steady_clock;
  const torch::Device place(device);
  torch::jit::Module module = torch::jit::load(path.string(), place);
  module.eval();
  module = torch::jit::freeze(module);
  dims.insert(dims.begin(), rows);
  const torch::Tensor input = torch::rand(dims);
  const c10::InferenceMode inference;
  const torch::jit::GraphOptimizerEnabledGuard plain(false);
  const auto run_once = [&] {
    return module.forward({input.to(place)}).toTensor().to(torch::kCPU);
  };
  run_once();
  run_once();
  std::int64_t done = 0;
  double spent = 0;
  for (const auto begin = clock::now(); spent < seconds; done += rows) {
    run_once();
    spent = std::chrono::duration<double>(clock::now() - begin).count();
  }
  return static_cast<double>(done) / spent;
}

}  // namespace dim::tests
