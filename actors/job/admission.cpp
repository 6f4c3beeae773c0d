#include "actors/job/admission.hpp"

#include <algorithm>

namespace dim::actors {

namespace {

constexpr std::size_t array_problems_max = 100;

std::string step_path(std::size_t index) {
  return "steps[" + std::to_string(index) + "]";
}

bool has_output(const models::model_spec& spec, const std::string& name) {
  return std::any_of(spec.outputs.begin(), spec.outputs.end(),
                     [&](const models::tensor_spec& output) { return output.name == name; });
}

/// Whether every input of step `index` gets an output of the step before.
void check_feed(const job_spec& spec, const std::vector<model_entry>& entries, std::size_t index,
                std::vector<std::string>& problems) {
  auto& previous = entries[index - 1].spec;
  auto& present = entries[index].spec;
  auto& map = spec.steps[index].input_map;
  auto one_to_one = previous.outputs.size() == 1 && present.inputs.size() == 1 && map.empty();
  for (auto& input : present.inputs) {
    auto mapped = map.find(input.name);
    auto wanted = mapped == map.end() ? input.name : mapped->second;
    if (one_to_one || has_output(previous, wanted))
      continue;
    problems.push_back(step_path(index) + ".input_map." + input.name + ": expected an output of "
                       + previous.name + ", and it has no output '" + wanted + "'");
  }
  for (auto& [input, output] : map) {
    auto known = std::any_of(present.inputs.begin(), present.inputs.end(),
                             [&](const models::tensor_spec& x) { return x.name == input; });
    if (!known)
      problems.push_back(step_path(index) + ".input_map." + input + ": " + present.name
                         + " has no input of this name");
  }
}

void add_input_problems(const job_spec& spec, const model_entry& entry,
                        std::vector<std::string>& problems) {
  for (auto& problem : models::check_inputs(entry.spec, spec.inputs)) {
    auto known = std::find(problems.begin(), problems.end(), problem) != problems.end();
    if (!known)
      problems.push_back(std::move(problem));
  }
}

}  // namespace

std::vector<std::string> complete_spec(job_spec& spec, const std::vector<model_entry>& entries) {
  std::vector<std::string> problems;
  for (std::size_t index = 0; index < entries.size(); ++index) {
    spec.steps[index].version = entries[index].version;
    spec.steps[index].model_digest = entries[index].digest;
    spec.steps[index].model_revision = entries[index].revision;
  }
  switch (spec.kind) {
    case pattern::single:
    case pattern::replicated:
      add_input_problems(spec, entries.front(), problems);
      break;
    case pattern::comparative:
      for (auto& entry : entries)
        add_input_problems(spec, entry, problems);
      break;
    case pattern::chained:
      add_input_problems(spec, entries.front(), problems);
      for (std::size_t index = 1; index < entries.size(); ++index)
        check_feed(spec, entries, index, problems);
      break;
    case pattern::collaborative:
      if (entries.front().spec.max_batch_size == 0)
        problems.push_back("model: expected a model with a batch dimension, and "
                           + entries.front().name + " has max_batch_size 0");
      break;
  }
  return problems;
}

std::vector<std::string> complete_array(job_spec& spec,
                                        const std::vector<models::tensor_list>& array,
                                        const std::vector<model_entry>& entries) {
  std::vector<std::string> problems;
  for (std::size_t index = 0; index < array.size(); ++index) {
    spec.inputs = array[index];
    for (auto& problem : complete_spec(spec, entries)) {
      if (problem.starts_with("inputs"))
        problem = "array[" + std::to_string(index) + "]." + problem;
      const bool is_known = std::find(problems.begin(), problems.end(), problem) != problems.end();
      if (!is_known && problems.size() < array_problems_max)
        problems.push_back(std::move(problem));
    }
  }
  spec.inputs.clear();
  return problems;
}

}  // namespace dim::actors
