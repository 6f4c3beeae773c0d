#include "actors/cluster/canary.hpp"

#include <utility>
#include <vector>

#include "runtime/digest.hpp"

namespace dim::actors {

namespace {

/// The length before each element of BYTES.
constexpr std::size_t text_length_bytes = 4;
constexpr std::uint32_t first_of_all = 10;
constexpr const char* probe_job = "probe";

}  // namespace

models::tensor_list zero_inputs(const models::model_spec& spec) {
  models::tensor_list result;
  for (auto& input : spec.inputs) {
    std::vector<std::int64_t> shape;
    if (spec.max_batch_size > 0)
      shape.push_back(1);
    for (auto size : input.dims)
      shape.push_back(size < 0 ? 1 : size);
    auto elements = models::element_count(shape).value_or(0);
    auto width = input.type == models::datatype::bytes ? text_length_bytes
                                                       : models::size_of(input.type);
    result.push_back(models::make_tensor(input.name, input.type, std::move(shape),
                                         std::vector<char>(elements * width)));
  }
  return result;
}

run_execution canary_order(const std::string& execution_id, const model_entry& model,
                           std::uint64_t time_left_ms) {
  run_execution order;
  order.execution_id = execution_id;
  order.job_id = probe_job;
  order.epoch = 1;
  order.model = model.name;
  order.version = model.version;
  order.model_digest = model.digest;
  order.model_revision = model.revision;
  order.inputs = zero_inputs(model.spec);
  order.deterministic = true;
  order.required_cpu = 0;
  order.required_memory = 0;
  order.priority = first_of_all;
  order.time_left_ms = time_left_ms;
  return order;
}

std::string damage_of(const models::tensor_list& outputs) {
  for (auto& output : outputs) {
    if (output.is_detached())
      continue;
    if (runtime::sha256_hex(output.data.view()) != output.digest)
      return "output '" + output.name + "' does not have the digest it was sent with";
  }
  return {};
}

}  // namespace dim::actors
