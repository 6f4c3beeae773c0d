#include "tools/fault/job_maker.hpp"

#include "runtime/random_source.hpp"

namespace dim::tools {

namespace {

using names = std::vector<std::string>;

names sample_models_for(const std::string& pattern) {
  if (pattern == "comparative")
    return {"digits-linear", "digits-mlp", "digits-cnn"};
  if (pattern == "chained")
    return {"standardize", "digits-mlp"};
  if (pattern == "collaborative")
    return {"risk"};
  return {"digits-mlp"};
}

std::uint64_t element_count(const json& shape) {
  std::uint64_t result = 1;
  for (const auto& size : shape)
    result *= size.get<std::uint64_t>();
  return result;
}

/// Numbers that every datatype can say: 0 and 1 for flags, small whole ones otherwise.
json element(const std::string& datatype, runtime::random_source& random) {
  if (datatype == "BYTES")
    return "text " + std::to_string(random.below(1'000));
  if (datatype == "BOOL")
    return random.below(2) == 1;
  if (datatype.starts_with("FP"))
    return static_cast<double>(random.below(1'024)) / 1'024.0;
  return random.below(100);
}

}  // namespace

outcome<job_maker> job_maker::make(const scenario::workload& load, const json& models) {
  job_maker result;
  result.timeout_ms_ = load.timeout_ms;
  for (const auto& each : list_at(models, "models"))
    result.catalogue_.insert_or_assign(text_at(each, "name"), each);
  names missing;
  for (const auto& pattern : load.patterns) {
    if (pattern == "collaborative" && !load.models.empty())
      return fail(exit_status::usage,
                  "the plan names models: a collaborative job would need a cabinet for them");
    if (pattern == "comparative" && load.models.size() == 1)
      return fail(exit_status::usage, "a comparative job needs two models or more");
    const auto wanted = load.models.empty() ? sample_models_for(pattern) : load.models;
    for (const auto& name : wanted)
      if (!result.catalogue_.contains(name))
        missing.push_back(pattern + " jobs need the model " + name);
    result.models_of_[pattern] = wanted;
  }
  if (!missing.empty())
    return fail(exit_status::failed,
                "the cluster lacks models; push them, or name others in the plan",
                std::move(missing));
  return result;
}

json job_maker::inputs_of(const std::string& model, std::uint64_t seed) const {
  runtime::random_source random{seed};
  auto result = json::array();
  const auto& entry = catalogue_.at(model);
  for (const auto& spec : list_at(entry, "inputs")) {
    auto shape = json::array();
    if (number_at(entry, "max_batch_size") > 0)
      shape.push_back(1);
    for (const auto& size : list_at(spec, "dims"))
      shape.push_back(size.get<std::int64_t>() < 0 ? 1 : size.get<std::int64_t>());
    auto data = json::array();
    const auto datatype = text_at(spec, "datatype");
    for (auto left = element_count(shape); left > 0; --left)
      data.push_back(element(datatype, random));
    result.push_back({{"name", text_at(spec, "name")},
                      {"datatype", datatype},
                      {"shape", std::move(shape)},
                      {"data", std::move(data)}});
  }
  return result;
}

std::string job_maker::body(const std::string& pattern, const std::string& name,
                            std::uint64_t seed) const {
  const auto& models = models_of_.at(pattern);
  json job{{"name", name}, {"pattern", pattern}, {"timeout_ms", timeout_ms_}};
  if (pattern == "comparative") {
    job["models"] = models;
  } else if (pattern == "chained") {
    for (const auto& model : models)
      job["steps"].push_back({{"model", model}});
  } else {
    job["model"] = models[seed % models.size()];
  }
  if (pattern == "comparative")
    job["vote"] = {{"method", "majority"}, {"tie", "abstain"}};
  if (pattern == "collaborative")
    job["cabinet"] = "patients";
  else
    job["inputs"] =
      inputs_of(pattern == "comparative" || pattern == "chained" ? models.front()
                                                                 : models[seed % models.size()],
                seed);
  return job.dump();
}

}  // namespace dim::tools
