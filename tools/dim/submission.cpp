#include "tools/dim/submission.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "tools/dim/input_tensor.hpp"
#include "tools/dim/json_fields.hpp"

namespace dim::tools {

namespace {

outcome<std::string> file_text(const std::string& path, std::istream& standard_input) {
  if (path == "-")
    return std::string{std::istreambuf_iterator<char>{standard_input}, {}};
  std::ifstream file{path, std::ios::binary};
  std::error_code error;
  if (!file || std::filesystem::is_directory(path, error))
    return fail(exit_status::usage, "can not read " + path);
  return std::string{std::istreambuf_iterator<char>{file}, {}};
}

template <class Value>
void set(json& job, const char* key, const std::optional<Value>& value) {
  if (value)
    job[key] = *value;
}

/// {"method": value}, beside what the file says of that member.
void set_method(json& job, const char* key, const std::optional<std::string>& value) {
  if (!value)
    return;
  if (!job[key].is_object())
    job[key] = json::object();
  job[key]["method"] = *value;
}

void set_models(json& job, const submission& wish) {
  const bool is_list = wish.models.size() > 1 || text_at(job, "pattern") == "comparative";
  if (is_list && !wish.models.empty())
    job["models"] = wish.models;
  else if (!wish.models.empty())
    job["model"] = wish.models.front();
  if (!wish.steps.empty()) {
    job["steps"] = json::array();
    for (const auto& model : wish.steps)
      job["steps"].push_back({{"model", model}});
  }
  if (member_of(job, "pattern").is_null() && !wish.steps.empty())
    job["pattern"] = "chained";
  else if (member_of(job, "pattern").is_null() && is_list)
    job["pattern"] = "comparative";
}

outcome<void> set_inputs(json& job, const submission& wish) {
  if (!wish.inputs.empty())
    job["inputs"] = json::array();
  for (const auto& text : wish.inputs) {
    auto input = parse_input(text);
    if (!input)
      return tl::unexpected(input.error());
    job["inputs"].push_back(std::move(*input));
  }
  return {};
}

/// Lays the flags over `job`.
outcome<void> apply_flags(json& job, const submission& wish) {
  set(job, "name", wish.name);
  set(job, "description", wish.description);
  set(job, "pattern", wish.pattern);
  set_models(job, wish);
  set(job, "cabinet", wish.cabinet);
  set(job, "redundancy", wish.redundancy);
  set(job, "consensus", wish.consensus);
  set(job, "compare", wish.compare);
  set_method(job, "aggregate", wish.aggregate);
  set_method(job, "reduce", wish.reduce);
  set_method(job, "vote", wish.vote);
  set(job, "priority", wish.priority);
  set(job, "timeout_ms", wish.timeout_ms);
  set(job, "hedge_after_ms", wish.hedge_after_ms);
  return set_inputs(job, wish);
}

}  // namespace

outcome<std::string> submission_body(const submission& wish, std::istream& standard_input) {
  auto flags = json::object();
  if (auto applied = apply_flags(flags, wish); !applied)
    return tl::unexpected(applied.error());
  if (wish.file.empty() && flags.empty())
    return fail(exit_status::usage, "nothing to submit: name a file, or describe the job by flags");
  if (wish.file.empty())
    return flags.dump(-1, ' ', false, json::error_handler_t::replace);
  auto text = file_text(wish.file, standard_input);
  if (!text || flags.empty())
    return text;
  auto job = json::parse(*text, nullptr, false);
  if (!job.is_object())
    return fail(exit_status::usage, wish.file + " does not hold a JSON object");
  if (auto applied = apply_flags(job, wish); !applied)
    return tl::unexpected(applied.error());
  return job.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace dim::tools
