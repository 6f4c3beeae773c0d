#include "models/model.hpp"
#include "models/torch_tensor.hpp"

namespace dim::models {

namespace {

constexpr std::int64_t rows_tried = 2;

}  // namespace

runtime::expected<void> verify_model_file(const std::filesystem::path& path,
                                          const model_spec& spec) {
  // Loading runs the program on one row of zeros already.
  auto opened = model::load(path, spec, "cpu:0", 1);
  if (!opened || spec.max_batch_size < rows_tried)
    return opened ? runtime::expected<void>{} : tl::unexpected(opened.error());
  tensor_list zeros;
  for (const tensor_spec& declared : spec.inputs) {
    auto zero = zeros_for(declared, rows_tried);
    if (!zero)
      return tl::unexpected(zero.error());
    zeros.push_back(std::move(*zero));
  }
  const auto outputs = opened->run(zeros, false);
  if (outputs)
    return {};
  const bool is_memory = outputs.error().code == runtime::error_code::memory_limit;
  return runtime::fail(is_memory ? runtime::error_code::memory_limit
                                 : runtime::error_code::bad_model,
                       "with two rows: " + outputs.error().message);
}

}  // namespace dim::models
