#include "gateway/inference/raw_request.hpp"

#include <algorithm>

namespace dim::gateway {

namespace {

using runtime::error_code;

/// BYTES: the text with its length before it.
runtime::expected<models::tensor> read_raw_text(std::string_view body,
                                                const models::tensor_spec& spec, bool has_batch) {
  if (spec.dims != std::vector<std::int64_t>{1})
    return runtime::fail(error_code::bad_input, "For BYTE datatype raw input '" + spec.name
                                                  + "', the model must have input shape [1]");
  std::vector<char> data;
  data.reserve(body.size() + 4);
  for (int shift = 0; shift < 32; shift += 8)
    data.push_back(static_cast<char>((body.size() >> shift) & 0xff));
  data.insert(data.end(), body.begin(), body.end());
  models::tensor input;
  input.shape.assign(has_batch ? 2 : 1, 1);
  input.data = runtime::bytes{std::move(data)};
  return input;
}

runtime::expected<models::tensor> read_raw_numbers(std::string_view body,
                                                   const models::tensor_spec& spec,
                                                   bool has_batch) {
  if (std::count(spec.dims.begin(), spec.dims.end(), -1) > 1)
    return runtime::fail(error_code::bad_input,
                         "The shape of the raw input '" + spec.name
                           + "' can not be deduced because there are more than one variable-sized "
                             "dimension");
  std::uint64_t known = models::size_of(spec.type);
  auto is_over = false;
  for (auto dimension : spec.dims)
    if (dimension >= 0)
      is_over = is_over || __builtin_mul_overflow(known, dimension, &known);
  auto is_open = std::find(spec.dims.begin(), spec.dims.end(), -1) != spec.dims.end();
  if (is_open && !is_over && known == 0)
    return runtime::fail(error_code::bad_input,
                         "The shape of the raw input '" + spec.name
                           + "' can not be deduced because it has a dimension of 0");
  auto fits = is_open ? body.size() % known == 0 : known == body.size();
  if (is_over || !fits)
    return runtime::fail(error_code::bad_input,
                         "input byte size mismatch for raw input '" + spec.name + "'. Expected "
                           + (is_over ? "more bytes than can be counted"
                                      : (is_open ? "a multiple of " : "") + std::to_string(known))
                           + ", got " + std::to_string(body.size()));
  models::tensor input;
  if (has_batch)
    input.shape.push_back(1);
  for (auto dimension : spec.dims)
    input.shape.push_back(dimension < 0 ? static_cast<std::int64_t>(body.size() / known)
                                        : dimension);
  input.data = runtime::bytes::copy_of(body);
  return input;
}

}  // namespace

runtime::expected<inference_request> read_raw_request(std::string_view body,
                                                      const models::model_spec& spec,
                                                      const std::string& model) {
  if (spec.inputs.size() != 1)
    return runtime::fail(error_code::bad_input,
                         "Raw request must only have 1 input (found 1) to be deduced but got "
                           + std::to_string(spec.inputs.size()) + " inputs in '" + model
                           + "' model configuration");
  auto& declared = spec.inputs.front();
  auto has_batch = spec.max_batch_size > 0;
  auto input = declared.type == models::datatype::bytes
                 ? read_raw_text(body, declared, has_batch)
                 : read_raw_numbers(body, declared, has_batch);
  if (!input)
    return tl::unexpected<runtime::failure>(std::move(input.error()));
  input->name = declared.name;
  input->type = declared.type;
  input->byte_size = input->data.size();
  inference_request request;
  request.inputs.push_back(std::move(*input));
  request.is_binary_output = true;
  return request;
}

}  // namespace dim::gateway
