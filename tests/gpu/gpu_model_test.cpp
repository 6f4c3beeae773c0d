#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include <doctest/doctest.h>

#include "models/agreement.hpp"
#include "models/batch.hpp"
#include "models/cuda_devices.hpp"
#include "models/model.hpp"
#include "tests/gpu/bare_forward.hpp"
#include "tests/models/script_file.hpp"
#include "tests/models/tensors.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace dim;
using models::model;
using models::tensor_list;
using tests::floats;

namespace {

constexpr std::int64_t batch_max = 64;
constexpr std::int64_t width = 256;

bool has_gpu() {
  static const bool found = !models::discover_cuda().empty();
  return found;
}

/// Where there is no GPU, the same tests hold for the CPU.
std::string device() {
  return has_gpu() ? "cuda:0" : "cpu:0";
}

/// y = relu(x w) w, with numbers that differ from place to place.
struct sample {
  explicit sample(std::int64_t size = width) : width_of(size) {
    std::vector<float> weights(static_cast<std::size_t>(size * size));
    for (std::size_t index = 0; index < weights.size(); ++index)
      weights[index] = static_cast<float>(static_cast<int>(index * 37 % 101) - 50) / 500;
    tests::write_script(path(), R"(
def forward(self, x):
    return torch.mm(torch.relu(torch.mm(x, self.weight)), self.weight)
)",
                        {{"weight", {size, size}, weights}});
  }
  std::filesystem::path path() const {
    return folder / "model.pt";
  }
  models::model_spec spec() const {
    return tests::simple_spec(width_of, width_of, batch_max);
  }
  model load(const std::string& where) const {
    auto loaded = model::load(path(), spec(), where, 1);
    REQUIRE_MESSAGE(loaded.has_value(), (loaded ? "" : loaded.error().message));
    return std::move(*loaded);
  }
  tensor_list rows(std::int64_t count, float seed) const {
    std::vector<float> values(static_cast<std::size_t>(count * width_of));
    for (std::size_t index = 0; index < values.size(); ++index)
      values[index] = seed + static_cast<float>(index % 89) / 89;
    return {floats("x", {count, width_of}, values)};
  }
  std::int64_t width_of;
  tests::temporary_folder folder;
};

/// The digests of what a model gives are empty, which is no sign of being equal.
tensor_list sealed(tensor_list outputs) {
  for (models::tensor& each : outputs)
    each = models::make_tensor(each.name, each.type, each.shape, each.data.vector());
  return outputs;
}

bool agree(const tensor_list& one, const tensor_list& other) {
  return models::compare_outputs(models::comparison::tensor, sealed(one), sealed(other)).agree;
}

/// Rows a second of `model::run` with full batches.
double rows_per_second(model& served, const tensor_list& batch, std::int64_t rows, double seconds) {
  using clock = std::chrono::steady_clock;
  REQUIRE(served.run(batch, false).has_value());
  std::int64_t done = 0;
  const auto begin = clock::now();
  while (std::chrono::duration<double>(clock::now() - begin).count() < seconds) {
    REQUIRE(served.run(batch, false).has_value());
    done += rows;
  }
  return static_cast<double>(done) / std::chrono::duration<double>(clock::now() - begin).count();
}

}  // namespace

TEST_CASE("the device answers as the CPU does, within what agreement allows") {
  const sample made;
  auto reference = made.load("cpu:0");
  auto served = made.load(device());
  std::printf("device: %s\n", device().c_str());
  for (const std::int64_t rows : {1, 3, 64}) {
    CAPTURE(rows);
    const auto inputs = made.rows(rows, 0.25F);
    const auto wanted = reference.run(inputs, false);
    const auto given = served.run(inputs, false);
    REQUIRE((wanted.has_value() && given.has_value()));
    CHECK(agree(*wanted, *given));
  }
}

TEST_CASE("requests answer in a batch as they do alone") {
  const sample made;
  auto served = made.load(device());
  const std::vector<tensor_list> requests{made.rows(2, 0), made.rows(1, 1), made.rows(5, 2)};
  const auto joined = models::join_batch(made.spec(), requests);
  REQUIRE(joined.has_value());
  const auto outputs = served.run(joined->inputs, false);
  REQUIRE(outputs.has_value());
  const auto split = models::split_batch(*outputs, joined->rows);
  REQUIRE(split.has_value());
  for (std::size_t index = 0; index < requests.size(); ++index) {
    const auto alone = served.run(requests[index], false);
    REQUIRE(alone.has_value());
    CHECK(agree(*alone, (*split)[index]));
  }
}

TEST_CASE("deterministic runs give the same bytes") {
  const sample made;
  auto served = made.load(device());
  const auto inputs = made.rows(32, 0.5F);
  const auto first = served.run(inputs, true);
  const auto second = served.run(inputs, true);
  REQUIRE((first.has_value() && second.has_value()));
  CHECK(first->front().data == second->front().data);
}

TEST_CASE("several models on one device answer rightly side by side, each on its stream") {
  const sample made;
  auto reference = made.load("cpu:0");
  constexpr int threads = 4;
  constexpr int rounds = 20;
  std::vector<tensor_list> wanted;
  for (int index = 0; index < threads; ++index)
    wanted.push_back(*reference.run(made.rows(8, static_cast<float>(index)), false));
  std::atomic<int> right = 0;
  std::vector<std::thread> workers;
  for (int index = 0; index < threads; ++index)
    workers.emplace_back([&, index] {
      auto loaded = model::load(made.path(), made.spec(), device(), 1);
      if (!loaded)
        return;
      const auto inputs = made.rows(8, static_cast<float>(index));
      for (int round = 0; round < rounds; ++round)
        if (const auto given = loaded->run(inputs, false))
          right += agree(wanted[static_cast<std::size_t>(index)], *given) ? 1 : 0;
    });
  for (std::thread& each : workers)
    each.join();
  CHECK(right == threads * rounds);
}

TEST_CASE("a batch that does not fit the memory is run in two halves") {
  // The program takes the memory of a device for more than one row, and none for one.
  const tests::temporary_folder folder;
  tests::write_script(folder / "model.pt", "def forward(self, x):\n"
                                           "    if x.size(0) > 1:\n"
                                           "        x = x + torch.zeros([70368744177664], "
                                           "device=x.device).sum()\n"
                                           "    return x * 2\n");
  auto loaded = model::load(folder / "model.pt", tests::simple_spec(2, 2, batch_max), device(), 1);
  REQUIRE_MESSAGE(loaded.has_value(), (loaded ? "" : loaded.error().message));
  const auto outputs = loaded->run({floats("x", {2, 2}, {1, 2, 3, 4})}, false);
  REQUIRE_MESSAGE(outputs.has_value(), (outputs ? "" : outputs.error().message));
  CHECK(tests::elements_of<float>(outputs->front()) == std::vector<float>{2, 4, 6, 8});
  CHECK(outputs->front().shape == std::vector<std::int64_t>{2, 2});
  // A half is not cut again.
  const auto refused = loaded->run({floats("x", {4, 2}, std::vector<float>(8))}, false);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == runtime::error_code::memory_limit);
}

TEST_CASE("full batches reach most of what a bare loop over LibTorch does") {
  const sample made(1024);
  auto served = made.load(device());
  const auto batch = made.rows(batch_max, 0.25F);
  constexpr double seconds = 0.5;
  double best = 0;
  for (int round = 0; round < 3; ++round) {
    const double ours = rows_per_second(served, batch, batch_max, seconds);
    const double bare = tests::bare_rows_per_second(made.path(), has_gpu() ? "cuda:0" : "cpu",
                                                    batch_max, {1024}, seconds);
    std::printf("rows a second: %.0f, bare loop %.0f, ratio %.2f\n", ours, bare, ours / bare);
    best = std::max(best, ours / bare);
  }
  CHECK(best > 0.6);
}
