#include "models/model.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <torch/script.h>
#include <torch/csrc/jit/runtime/graph_executor.h>

#include "models/argument_order.hpp"
#include "models/batch.hpp"
#include "models/determinism.hpp"
#include "models/device.hpp"
#include "models/device_stream.hpp"
#include "models/forward_call.hpp"
#include "models/reshape.hpp"
#include "models/torch_tensor.hpp"
#include "models/warm_up.hpp"

namespace dim::models {

namespace {

using runtime::error_code;

torch::Device torch_device_of(const device_name& device) {
  if (device.kind == device_kind::cuda)
    return {torch::kCUDA, static_cast<torch::DeviceIndex>(device.first)};
  return {torch::kCPU};
}

/// Says of the commonest wrong files what they are, before LibTorch's reader speaks of archives.
runtime::expected<void> check_archive(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, 4> start{};
  file.read(start.data(), start.size());
  constexpr std::array<char, 4> zip_start{'P', 'K', 3, 4};
  if (file.gcount() < static_cast<std::streamsize>(start.size()) || start != zip_start)
    return runtime::fail(error_code::bad_model,
                         file.gcount() == 0 ? "the file is empty or can not be read"
                                            : "the file is not a TorchScript archive");
  return {};
}

std::uint64_t bytes_of(const torch::jit::Module& module) {
  std::uint64_t bytes = 0;
  for (const torch::Tensor& each : module.parameters())
    bytes += each.nbytes();
  for (const torch::Tensor& each : module.buffers())
    bytes += each.nbytes();
  return bytes;
}

/// LibTorch counts the writes into a tensor. Defaults of forward need not be tensors.
bool has_written(const std::vector<torch::IValue>& arguments) {
  return std::any_of(arguments.begin(), arguments.end(), [](const torch::IValue& each) {
    return each.isTensor() && each.toTensor()._version() != 0;
  });
}

}  // namespace

struct model::program {
  runtime::expected<void> open(const std::filesystem::path& path);
  runtime::expected<void> warm_up();
  runtime::expected<tensor_list> run(const tensor_list& inputs, bool deterministic);
  runtime::expected<std::vector<torch::IValue>> arguments_of(const tensor_list& inputs) const;
  runtime::expected<torch::IValue> argument_of(const tensor& given,
                                               const tensor_spec& declared) const;
  runtime::expected<tensor_list> forward(std::vector<torch::IValue> arguments, std::int64_t rows);

  model_spec spec;
  torch::Device device{torch::kCPU};
  int threads = 1;
  device_stream stream{device_name{}};
  torch::jit::Module module;
  /// Which declared tensor stands in which place of forward; of inputs also `no_input`.
  std::vector<std::size_t> input_order;
  std::vector<std::size_t> output_order;
  /// By place: what stands for an input that is left out.
  std::vector<torch::IValue> defaults;
  std::uint64_t memory_bytes = 0;
  /// It has run on zeros, so that what fails now is not the file's fault alone.
  bool is_warm = false;
  /// The program writes into its inputs, so it is given copies.
  bool writes_inputs = false;
};

runtime::expected<void> model::program::open(const std::filesystem::path& path) {
  try {
    module = torch::jit::load(path.string(), device);
    memory_bytes = bytes_of(module);
    if (auto checked = check_forward(module, spec); !checked)
      return checked;
    input_order = input_order_of(module, spec);
    output_order = argument_order(spec.outputs, {});
    auto stand_ins = defaults_of(module, spec, input_order);
    if (!stand_ins)
      return tl::unexpected(stand_ins.error());
    defaults = std::move(*stand_ins);
    module.eval();
    module = torch::jit::freeze(module);
  } catch (const std::exception& thrown) {
    runtime::failure failure = failure_of(thrown, error_code::bad_model);
    failure.message = "the file can not be opened as TorchScript: " + failure.message;
    return tl::unexpected(std::move(failure));
  }
  return {};
}

runtime::expected<void> model::program::warm_up() {
  for (const tensor_spec& declared : spec.outputs)
    if (auto checked = check_scalar_type(declared); !checked)
      return checked;
  for (const warm_up_request& wish : warm_up_requests(spec)) {
    const auto inputs = warm_up_inputs(spec, wish);
    if (!inputs)
      return tl::unexpected(inputs.error());
    for (std::uint32_t round = 0; round < wish.count; ++round)
      if (auto outputs = run(*inputs, false); !outputs)
        return tl::unexpected(outputs.error());
  }
  is_warm = true;
  return {};
}

runtime::expected<torch::IValue> model::program::argument_of(const tensor& given,
                                                             const tensor_spec& declared) const {
  auto view = view_of(given);
  if (!view)
    return tl::unexpected(view.error());
  if (declared.is_reshaped)
    *view = view->view(shape_for_model(declared, given.shape, spec.max_batch_size > 0));
  if (device.is_cuda())
    return torch::IValue{stream.to_device(*view)};
  return torch::IValue{writes_inputs ? view->clone() : *view};
}

runtime::expected<std::vector<torch::IValue>> model::program::arguments_of(
  const tensor_list& inputs) const {
  std::vector<torch::IValue> arguments;
  for (std::size_t place = 0; place < input_order.size(); ++place) {
    if (input_order[place] == no_input) {
      arguments.push_back(defaults[place]);
      continue;
    }
    const tensor_spec& declared = spec.inputs[input_order[place]];
    const auto given = std::find_if(inputs.begin(), inputs.end(), [&](const tensor& each) {
      return each.name == declared.name;
    });
    if (given == inputs.end()) {
      arguments.push_back(defaults[place]);
      continue;
    }
    auto argument = argument_of(*given, declared);
    if (!argument)
      return tl::unexpected(argument.error());
    arguments.push_back(std::move(*argument));
  }
  return arguments;
}

runtime::expected<tensor_list> model::program::forward(std::vector<torch::IValue> arguments,
                                                       std::int64_t rows) {
  const c10::InferenceMode inference;
  // The optimising executor rewrites the program for the shapes it has seen, which costs
  // milliseconds at every new batch size and may change the last bits between two runs. For a small
  // MLP at settled batch sizes it gains nothing either: 0 to 14 % slower, on one core.
  const torch::jit::GraphOptimizerEnabledGuard plain(false);
  auto results = results_of(module.forward(std::move(arguments)), spec, output_order);
  if (!results)
    return tl::unexpected(results.error());
  for (torch::Tensor& each : *results)
    each = stream.to_host(each);
  stream.wait();
  tensor_list outputs;
  for (std::size_t index = 0; index < results->size(); ++index) {
    auto copied = copy_of((*results)[index], spec.outputs[index], rows);
    if (!copied)
      return tl::unexpected(copied.error());
    outputs.push_back(std::move(*copied));
  }
  return outputs;
}

runtime::expected<tensor_list> model::program::run(const tensor_list& inputs,
                                                   bool deterministic) {
  if (auto problems = check_inputs(spec, inputs); !problems.empty())
    return runtime::fail(error_code::bad_input, "the inputs do not fit the model",
                         std::move(problems));
  const std::int64_t rows = spec.max_batch_size > 0 ? row_count(spec, inputs) : 0;
  const run_mode mode(deterministic);
  set_intra_op_threads(threads);
  const device_stream::turn turn(stream);
  try {
    // Made outside of inference mode, so that LibTorch counts writes into them.
    const auto arguments = arguments_of(inputs);
    if (!arguments)
      return tl::unexpected(arguments.error());
    auto outputs = forward(*arguments, rows);
    if (!device.is_cuda() && !writes_inputs && has_written(*arguments)) {
      writes_inputs = true;
      // On zeros nothing is spoilt; later, the request's own bytes are.
      if (is_warm)
        return runtime::fail(error_code::internal, "the program has written into its input");
    }
    return outputs;
  } catch (const std::exception& thrown) {
    return tl::unexpected(
      failure_of(thrown, is_warm ? error_code::internal : error_code::bad_model));
  }
}

model::model(std::unique_ptr<program> loaded) : program_(std::move(loaded)) {
}

model::model(model&&) noexcept = default;
model& model::operator=(model&&) noexcept = default;
model::~model() = default;

runtime::expected<model> model::load(const std::filesystem::path& path, const model_spec& spec,
                                     std::string_view device, std::uint32_t threads) {
  const auto name = parse_device(device);
  if (!name)
    return tl::unexpected(name.error());
  if (threads == 0)
    return runtime::fail(error_code::bad_input, "a model needs at least one thread");
  if (auto checked = check_archive(path); !checked)
    return tl::unexpected(checked.error());
  fix_process_settings();
  auto loaded = std::make_unique<program>();
  loaded->spec = spec;
  loaded->device = torch_device_of(*name);
  loaded->stream = device_stream(*name);
  loaded->threads = static_cast<int>(threads);
  if (auto opened = loaded->open(path); !opened)
    return tl::unexpected(opened.error());
  if (auto warmed = loaded->warm_up(); !warmed)
    return tl::unexpected(warmed.error());
  return model{std::move(loaded)};
}

runtime::expected<tensor_list> model::run(const tensor_list& inputs, bool deterministic) {
  auto outputs = program_->run(inputs, deterministic);
  const std::int64_t rows = row_count(program_->spec, inputs);
  if (outputs || outputs.error().code != error_code::memory_limit || rows < 2)
    return outputs;
  // What is too much at once may fit one half after the other; a half is not cut again.
  tensor_list all;
  for (const std::int64_t first : {std::int64_t{0}, rows / 2}) {
    const auto half = take_rows(inputs, first, first == 0 ? rows / 2 : rows - rows / 2);
    if (!half)
      return tl::unexpected(half.error());
    auto part = program_->run(*half, deterministic);
    if (!part)
      return part;
    all = first == 0 ? std::move(*part) : append_rows(all, *part);
  }
  return all;
}

std::uint64_t model::memory_bytes() const noexcept {
  return program_->memory_bytes;
}

}  // namespace dim::models
