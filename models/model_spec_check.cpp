#include "models/model_spec_check.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <string_view>

#include "models/builtin.hpp"
#include "models/instances.hpp"
#include "models/reshape.hpp"

namespace dim::models {

namespace {

constexpr std::size_t tensor_name_max = 256;
constexpr std::size_t rank_max = 16;
constexpr std::int64_t batch_size_max = 1'000'000;
constexpr std::uint32_t priority_levels_max = 1'000;
constexpr std::size_t steps_max = 64;

using problem_list = std::vector<std::string>;

void check_labels(const tensor_spec& declared, const std::string& path, problem_list& problems) {
  if (declared.labels.empty())
    return;
  if (declared.dims.empty())
    problems.push_back(path + ".labels: an output without dims has no classes");
  else if (declared.dims.back() > 0
           && declared.labels.size() != static_cast<std::size_t>(declared.dims.back()))
    problems.push_back(path + ".labels: expected " + std::to_string(declared.dims.back())
                       + " labels, one for each entry of the last dim, got "
                       + std::to_string(declared.labels.size()));
}

void check_tensors(const std::vector<tensor_spec>& tensors, const std::string& key,
                   bool has_batch, problem_list& problems) {
  if (tensors.empty())
    problems.push_back(key + ": at least one is needed");
  std::set<std::string> names;
  for (std::size_t index = 0; index < tensors.size(); ++index) {
    const tensor_spec& declared = tensors[index];
    const std::string path = key + "[" + std::to_string(index) + "]";
    if (declared.name.empty() || declared.name.size() > tensor_name_max)
      problems.push_back(path + ".name: expected 1 to 256 bytes");
    else if (!names.insert(declared.name).second)
      problems.push_back(path + ".name: \"" + declared.name + "\" is declared twice");
    if (declared.dims.size() > rank_max)
      problems.push_back(path + ".dims: has more than 16 entries");
    for (const std::int64_t dim : declared.dims)
      if (dim != -1 && dim < 1)
        problems.push_back(path + ".dims: expected sizes of 1 or more, or -1 for any size, got "
                           + std::to_string(dim));
    if (const std::string words = reshape_problem(declared, has_batch); !words.empty())
      problems.push_back(path + "." + words);
    check_labels(declared, path, problems);
  }
}

void check_batching(const model_spec& spec, problem_list& problems) {
  if (spec.max_batch_size < 0 || spec.max_batch_size > batch_size_max)
    problems.push_back("max_batch_size: expected 0 to 1000000");
  for (const std::int64_t size : spec.batching.preferred_sizes)
    if (size < 1 || size > spec.max_batch_size)
      problems.push_back("preferred batch size " + std::to_string(size)
                         + ": expected 1 to max_batch_size");
  const std::uint32_t levels = spec.batching.priority_levels;
  if (levels > priority_levels_max)
    problems.push_back("priority levels: expected at most 1000");
  if (levels > 0 && (spec.batching.default_priority < 1 || spec.batching.default_priority > levels))
    problems.push_back("default priority: expected 1 to " + std::to_string(levels));
  for (const auto& [level, policy] : spec.batching.queue_by_priority)
    if (level < 1 || level > levels)
      problems.push_back("the queue policy of priority " + std::to_string(level)
                         + " belongs to no priority level");
}

void check_warm_up(const model_spec& spec, problem_list& problems) {
  for (std::size_t index = 0; index < spec.warm_up.size(); ++index) {
    const warm_up_request& request = spec.warm_up[index];
    const std::string path = "warm_up[" + std::to_string(index) + "]";
    // Without a batch dimension there are no rows to count.
    if (spec.max_batch_size > 0 && (request.rows < 1 || request.rows > spec.max_batch_size))
      problems.push_back(path + ".rows: expected 1 to " + std::to_string(spec.max_batch_size)
                         + ", got " + std::to_string(request.rows));
    for (const auto& [name, dims] : request.dims)
      if (std::none_of(spec.inputs.begin(), spec.inputs.end(),
                       [&](const tensor_spec& each) { return each.name == name; }))
        problems.push_back(path + ".dims: the model has no input \"" + name + "\"");
  }
}

void check_instances(const model_spec& spec, problem_list& problems) {
  const std::size_t known = problems.size();
  for (const instance_group& each : spec.instances)
    if (each.count < 1 || each.count > instances_max)
      problems.push_back("instances.count: expected 1 to " + std::to_string(instances_max)
                         + ", got " + std::to_string(each.count));
    else if (each.kind == instance_kind::cpu && !each.gpus.empty())
      problems.push_back("instances.gpus: expected none, for the group is of the kind cpu");
  // Of counts that are wrong one by one the sum says nothing.
  const std::uint32_t most = problems.size() == known ? most_instances(spec.instances) : 0;
  if (most > instances_max)
    problems.push_back("instances: expected at most " + std::to_string(instances_max)
                       + " on one device, in all groups together, got " + std::to_string(most));
}

bool is_number(datatype type) {
  return type != datatype::boolean && type != datatype::fp16 && type != datatype::bf16;
}

void check_kind(const model_spec& spec, problem_list& problems) {
  if (spec.kind != model_kind::torchscript && spec.file_name != model_spec{}.file_name)
    problems.push_back("file: expected none, for a model of this kind has no file");
  if (repeats_inputs(spec.kind)) {
    bool is_alike = spec.inputs.size() == spec.outputs.size();
    for (std::size_t index = 0; is_alike && index < spec.inputs.size(); ++index)
      is_alike = spec.inputs[index].type == spec.outputs[index].type
                 && spec.inputs[index].model_dims() == spec.outputs[index].model_dims();
    if (!is_alike)
      problems.push_back("outputs: expected the types and dims of the inputs, which they repeat");
  }
  if (spec.kind == model_kind::add_sub) {
    for (std::size_t index = 0; index < spec.inputs.size(); ++index)
      if (spec.inputs[index].is_optional)
        problems.push_back("inputs[" + std::to_string(index)
                           + "].optional: expected false, for a sum and a difference are of two");
    const bool is_pair = spec.inputs.size() == 2 && spec.outputs.size() == 2
                         && spec.inputs[0].type == spec.inputs[1].type
                         && spec.inputs[0].model_dims() == spec.inputs[1].model_dims()
                         && is_number(spec.inputs[0].type);
    const auto is_like_inputs = [&](const tensor_spec& each) {
      return each.type == spec.inputs[0].type
             && each.model_dims() == spec.inputs[0].model_dims();
    };
    if (!is_pair || !std::all_of(spec.outputs.begin(), spec.outputs.end(), is_like_inputs))
      problems.push_back("add_sub: expected two inputs and two outputs, all of the same type and "
                         "dims, not BOOL, FP16 or BF16");
  }
  const auto wait = spec.parameters.find("delay_ms");
  if (spec.kind == model_kind::delay && wait != spec.parameters.end()) {
    std::uint32_t milliseconds = 0;
    const char* end = wait->second.data() + wait->second.size();
    const auto read = std::from_chars(wait->second.data(), end, milliseconds);
    if (read.ec != std::errc{} || read.ptr != end || milliseconds > 3'600'000)
      problems.push_back("parameters.delay_ms: expected a whole number from 0 to 3600000");
  }
}

void check_step(const ensemble_step& step, const std::string& path, std::set<std::string>& known,
                problem_list& problems) {
  if (!is_model_name(step.model))
    problems.push_back(path + ".model: \"" + step.model + "\" is no model name");
  if (!step.version.empty() && !is_version(step.version))
    problems.push_back(path + ".version: expected a whole number from 1 up");
  if (step.inputs.empty() || step.outputs.empty())
    problems.push_back(path + ": expected a map of its inputs and one of its outputs");
  for (const auto& [own, name] : step.inputs)
    if (!known.contains(name))
      problems.push_back(path + ".inputs." + own + ": nothing before this step gives \"" + name
                         + "\"");
  for (const auto& [own, name] : step.outputs)
    if (!known.insert(name).second)
      problems.push_back(path + ".outputs." + own + ": \"" + name + "\" is given twice");
}

void check_ensemble(const model_spec& spec, problem_list& problems) {
  if (spec.kind != model_kind::ensemble) {
    if (!spec.steps.empty())
      problems.push_back("steps: only an ensemble has them");
    return;
  }
  if (spec.steps.empty() || spec.steps.size() > steps_max)
    problems.push_back("steps: expected 1 to 64");
  std::set<std::string> known;
  for (const tensor_spec& input : spec.inputs)
    known.insert(input.name);
  for (std::size_t index = 0; index < spec.steps.size(); ++index)
    check_step(spec.steps[index], "steps[" + std::to_string(index) + "]", known, problems);
  for (const tensor_spec& output : spec.outputs)
    if (!known.contains(output.name))
      problems.push_back("outputs: no step gives \"" + output.name + "\"");
}

}  // namespace

std::vector<std::string> check_model_spec(const model_spec& spec) {
  problem_list problems;
  check_tensors(spec.inputs, "inputs", spec.max_batch_size > 0, problems);
  check_tensors(spec.outputs, "outputs", spec.max_batch_size > 0, problems);
  check_batching(spec, problems);
  check_instances(spec, problems);
  check_warm_up(spec, problems);
  check_kind(spec, problems);
  check_ensemble(spec, problems);
  return problems;
}

}  // namespace dim::models
