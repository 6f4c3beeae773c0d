#include "models/warm_up.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <ATen/CPUGeneratorImpl.h>
#include <torch/types.h>
#include <torch/utils.h>

#include "models/torch_tensor.hpp"

namespace dim::models {

namespace {

constexpr std::uint32_t compile_runs = 2;
constexpr std::uint64_t seed = 1;

/// The declared tensor with the sizes that the request gives its open dims.
runtime::expected<tensor_spec> sized(const tensor_spec& declared, const warm_up_request& wish) {
  tensor_spec result = declared;
  const auto own = wish.dims.find(declared.name);
  if (own == wish.dims.end() || own->second.empty())
    return result;
  const bool fits = std::equal(
    own->second.begin(), own->second.end(), declared.dims.begin(), declared.dims.end(),
    [](std::int64_t size, std::int64_t wanted) {
      return size == wanted || (wanted == -1 && size >= -1 && size != 0);
    });
  if (!fits)
    return runtime::fail(runtime::error_code::bad_input,
                         "warm-up \"" + wish.name + "\": the dims of " + declared.name
                           + " are not those that the model declares");
  result.dims = own->second;
  return result;
}

tensor random_like(const tensor& zeros, torch::Generator& generator) {
  const auto view = view_of(zeros);
  if (!view || view->numel() == 0)
    return zeros;
  const torch::Tensor drawn =
    torch::rand(view->sizes(), generator, torch::TensorOptions().dtype(torch::kFloat64));
  const bool is_whole = !view->is_floating_point();
  const torch::Tensor cast = (is_whole ? drawn.round() : drawn).to(view->scalar_type());
  tensor result = zeros;
  const auto* begin = static_cast<const char*>(cast.data_ptr());
  result.data = runtime::bytes{std::vector<char>(begin, begin + cast.nbytes())};
  return result;
}

}  // namespace

std::vector<warm_up_request> warm_up_requests(const model_spec& spec) {
  std::vector<warm_up_request> requests{{"compile", 1, compile_runs, warm_up_data::zeros, {}}};
  requests.insert(requests.end(), spec.warm_up.begin(), spec.warm_up.end());
  return requests;
}

runtime::expected<tensor_list> warm_up_inputs(const model_spec& spec,
                                              const warm_up_request& wish) {
  if (spec.max_batch_size > 0 && (wish.rows < 1 || wish.rows > spec.max_batch_size))
    return runtime::fail(runtime::error_code::bad_input,
                         "warm-up \"" + wish.name + "\": expected 1 to "
                           + std::to_string(spec.max_batch_size) + " rows, got "
                           + std::to_string(wish.rows));
  torch::Generator generator = torch::make_generator<at::CPUGeneratorImpl>(seed);
  tensor_list inputs;
  for (const tensor_spec& declared : spec.inputs) {
    const auto shape = sized(declared, wish);
    if (!shape)
      return tl::unexpected(shape.error());
    auto zeros = zeros_for(*shape, spec.max_batch_size > 0 ? wish.rows : 0);
    if (!zeros)
      return tl::unexpected(zeros.error());
    inputs.push_back(wish.data == warm_up_data::random ? random_like(*zeros, generator)
                                                       : std::move(*zeros));
  }
  return inputs;
}

}  // namespace dim::models
