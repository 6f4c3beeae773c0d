#include "models/model_spec_sections.hpp"

#include <array>
#include <limits>
#include <utility>

namespace dim::models {

namespace {

constexpr std::int64_t count_max = 1'000'000;
constexpr std::int64_t any_size = std::numeric_limits<std::int64_t>::max();

constexpr std::array<std::string_view, 5> kind_names{"torchscript", "identity", "add_sub", "delay",
                                                     "ensemble"};
constexpr std::array<std::string_view, 3> choice_names{"latest", "all", "specific"};
constexpr std::array<std::string_view, 3> instance_names{"auto", "cpu", "gpu"};
constexpr std::array<std::string_view, 2> action_names{"reject", "delay"};
constexpr std::array<std::string_view, 2> data_names{"zeros", "random"};

/// The value whose name the key holds; `fallback` where there is none.
template <class Value, std::size_t Size>
Value named(toml_fields& fields, const std::string& key,
            const std::array<std::string_view, Size>& names, Value fallback) {
  const auto text = fields.text(key);
  if (!text)
    return fallback;
  std::string expected;
  for (std::size_t index = 0; index < Size; ++index) {
    if (*text == names[index])
      return static_cast<Value>(index);
    expected += (index == 0 ? "\"" : ", \"") + std::string{names[index]} + "\"";
  }
  fields.add_problem(key, "expected one of " + expected);
  return fallback;
}

template <std::size_t Size, class Value>
std::string name_of(const std::array<std::string_view, Size>& names, Value value) {
  return "\"" + std::string{names[static_cast<std::size_t>(value)]} + "\"";
}

template <class Number>
void read_number(toml_fields& fields, const std::string& key, std::int64_t low, std::int64_t high,
                 Number& value) {
  if (const auto read = fields.integer(key, low, high))
    value = static_cast<Number>(*read);
}

void read_policy(toml_fields& fields, queue_policy& policy) {
  policy.on_timeout = named(fields, "on_timeout", action_names, policy.on_timeout);
  read_number(fields, "timeout_us", 0, any_size, policy.default_timeout_us);
  policy.allow_timeout_override =
    fields.flag("allow_timeout_override").value_or(policy.allow_timeout_override);
  read_number(fields, "queue_max", 0, count_max, policy.queue_max);
}

void read_batching(toml_fields& fields, batching_policy& batching) {
  batching.preferred_sizes = fields.integers("preferred_sizes");
  batching.preserve_ordering = fields.flag("preserve_ordering").value_or(false);
  read_number(fields, "priority_levels", 0, count_max, batching.priority_levels);
  read_number(fields, "default_priority", 0, count_max, batching.default_priority);
  read_policy(fields, batching.default_queue);
  for (toml_fields& each : fields.tables("queues")) {
    std::uint32_t priority = 0;
    read_number(each, "priority", 1, count_max, priority);
    read_policy(each, batching.queue_by_priority[priority]);
    each.refuse_unknown_keys();
  }
  fields.refuse_unknown_keys();
}

instance_group read_instances(toml_fields& fields) {
  instance_group group;
  read_number(fields, "count", 1, count_max, group.count);
  group.kind = named(fields, "kind", instance_names, group.kind);
  for (const std::int64_t gpu : fields.integers("gpus"))
    if (gpu >= 0 && gpu < count_max)
      group.gpus.push_back(static_cast<std::uint32_t>(gpu));
    else
      fields.add_problem("gpus", "expected whole numbers from 0 up, got " + std::to_string(gpu));
  fields.refuse_unknown_keys();
  return group;
}

void read_versions(toml_fields& fields, version_policy& served) {
  served.choice = named(fields, "choice", choice_names, served.choice);
  read_number(fields, "count", 1, count_max, served.count);
  for (const std::int64_t version : fields.integers("versions"))
    if (version > 0)
      served.versions.push_back(static_cast<std::uint64_t>(version));
    else
      fields.add_problem("versions", "expected whole numbers from 1 up");
  fields.refuse_unknown_keys();
}

std::map<std::string, std::string> read_texts(toml_fields& fields, const std::string& key) {
  std::map<std::string, std::string> texts;
  if (auto table = fields.table(key))
    for (const std::string& name : table->keys())
      texts.emplace(name, table->text(name).value_or(""));
  return texts;
}

warm_up_request read_warm_up(toml_fields& fields) {
  warm_up_request request;
  request.name = fields.text("name").value_or("");
  read_number(fields, "rows", 1, count_max, request.rows);
  read_number(fields, "count", 1, count_max, request.count);
  request.data = named(fields, "data", data_names, request.data);
  if (auto dims = fields.table("dims"))
    for (const std::string& name : dims->keys())
      request.dims.emplace(name, dims->integers(name));
  fields.refuse_unknown_keys();
  return request;
}

ensemble_step read_step(toml_fields& fields) {
  ensemble_step step;
  step.model = fields.required_text("model");
  step.version = fields.text("version").value_or("");
  step.inputs = read_texts(fields, "inputs");
  step.outputs = read_texts(fields, "outputs");
  fields.refuse_unknown_keys();
  return step;
}

template <class Numbers>
std::string list_of(const Numbers& numbers) {
  std::string text = "[";
  for (const auto number : numbers)
    text += (text.size() == 1 ? "" : ", ") + std::to_string(number);
  return text + "]";
}

std::string map_of(const std::map<std::string, std::string>& texts) {
  std::string text = "{";
  for (const auto& [key, value] : texts)
    text += (text.size() == 1 ? " " : ", ") + toml_quoted(key) + " = " + toml_quoted(value);
  return text + " }";
}

std::string flag_of(bool value) {
  return value ? "true" : "false";
}

void write_policy(std::string& text, const queue_policy& policy) {
  text += "on_timeout = " + name_of(action_names, policy.on_timeout)
          + "\ntimeout_us = " + std::to_string(policy.default_timeout_us)
          + "\nallow_timeout_override = " + flag_of(policy.allow_timeout_override)
          + "\nqueue_max = " + std::to_string(policy.queue_max) + "\n";
}

void write_batching(std::string& text, const batching_policy& batching) {
  text += "\n[batching]\npreferred_sizes = " + list_of(batching.preferred_sizes)
          + "\npreserve_ordering = " + flag_of(batching.preserve_ordering)
          + "\npriority_levels = " + std::to_string(batching.priority_levels)
          + "\ndefault_priority = " + std::to_string(batching.default_priority) + "\n";
  write_policy(text, batching.default_queue);
  for (const auto& [priority, policy] : batching.queue_by_priority) {
    text += "\n[[batching.queues]]\npriority = " + std::to_string(priority) + "\n";
    write_policy(text, policy);
  }
}

void write_warm_up(std::string& text, const warm_up_request& request) {
  text += "\n[[warm_up]]\nname = " + toml_quoted(request.name)
          + "\nrows = " + std::to_string(request.rows)
          + "\ncount = " + std::to_string(request.count)
          + "\ndata = " + name_of(data_names, request.data) + "\n";
  if (request.dims.empty())
    return;
  std::string dims;
  for (const auto& [name, sizes] : request.dims)
    dims += (dims.empty() ? " " : ", ") + toml_quoted(name) + " = " + list_of(sizes);
  text += "dims = {" + dims + " }\n";
}

void write_step(std::string& text, const ensemble_step& step) {
  text += "\n[[steps]]\nmodel = " + toml_quoted(step.model) + "\n";
  if (!step.version.empty())
    text += "version = " + toml_quoted(step.version) + "\n";
  text += "inputs = " + map_of(step.inputs) + "\noutputs = " + map_of(step.outputs) + "\n";
}

}  // namespace

void read_serving_sections(toml_fields& fields, model_spec& spec) {
  spec.kind = named(fields, "kind", kind_names, spec.kind);
  spec.response_cache = fields.flag("response_cache").value_or(false);
  if (auto file = fields.text("file")) {
    spec.file_name = std::move(*file);
    if (!is_plain_file_name(spec.file_name))
      fields.add_problem("file", "expected the plain name of a file");
  }
  if (auto batching = fields.table("batching"))
    read_batching(*batching, spec.batching);
  // One group needs no list.
  if (fields.is_list("instances"))
    for (toml_fields& each : fields.tables("instances"))
      spec.instances.push_back(read_instances(each));
  else if (auto instances = fields.table("instances"))
    spec.instances.push_back(read_instances(*instances));
  if (auto versions = fields.table("versions"))
    read_versions(*versions, spec.served);
  for (toml_fields& each : fields.tables("warm_up"))
    spec.warm_up.push_back(read_warm_up(each));
  for (toml_fields& each : fields.tables("steps"))
    spec.steps.push_back(read_step(each));
  spec.parameters = read_texts(fields, "parameters");
}

void write_serving_keys(std::string& text, const model_spec& spec) {
  if (spec.kind != model_kind::torchscript)
    text += "kind = " + name_of(kind_names, spec.kind) + "\n";
  if (spec.response_cache)
    text += "response_cache = true\n";
  if (spec.file_name != model_spec{}.file_name)
    text += "file = " + toml_quoted(spec.file_name) + "\n";
}

void write_serving_sections(std::string& text, const model_spec& spec) {
  if (spec.batching != batching_policy{})
    write_batching(text, spec.batching);
  for (const instance_group& each : spec.instances)
    text += "\n[[instances]]\ncount = " + std::to_string(each.count)
            + "\nkind = " + name_of(instance_names, each.kind) + "\ngpus = " + list_of(each.gpus)
            + "\n";
  if (spec.served != version_policy{})
    text += "\n[versions]\nchoice = " + name_of(choice_names, spec.served.choice)
            + "\ncount = " + std::to_string(spec.served.count)
            + "\nversions = " + list_of(spec.served.versions) + "\n";
  for (const warm_up_request& each : spec.warm_up)
    write_warm_up(text, each);
  for (const ensemble_step& each : spec.steps)
    write_step(text, each);
  if (spec.parameters.empty())
    return;
  text += "\n[parameters]\n";
  for (const auto& [key, value] : spec.parameters)
    text += toml_quoted(key) + " = " + toml_quoted(value) + "\n";
}

std::string toml_quoted(const std::string& text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string result = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (code < 0x20 || code == 0x7f) {
      result += "\\u00";
      result += digits[code >> 4];
      result += digits[code & 0x0f];
    } else {
      result += c;
    }
  }
  return result + "\"";
}

}  // namespace dim::models
