#include "gateway/job_members.hpp"

#include <concepts>

#include "gateway/names.hpp"
#include "gateway/tensor_json_reader.hpp"
#include "models/model_spec.hpp"

namespace dim::gateway {

namespace {

constexpr std::size_t description_bytes_max = 4'096;
constexpr std::size_t listed_nodes_max = 1'000;
constexpr std::int64_t attempts_max = 10;
constexpr std::int64_t backoff_ms_max = 3'600'000;
constexpr std::int64_t nodes_max = 1'000'000;
constexpr std::int64_t histogram_bins_max = 10'000;
constexpr std::int64_t cores_max = 65'536;
constexpr std::int64_t memory_gb_max = 1'000'000;
constexpr std::int64_t priority_max = 9;

std::optional<std::string> read_name(json_reader& reader, json_value value, const json_path& path) {
  auto name = reader.read_text(value, path, 255);
  if (!name || is_plain_name(*name))
    return name;
  reader.problems().add_mismatch(path, plain_name_words, in_quotes(*name));
  return std::nullopt;
}

void read_name_into(json_reader& reader, json_value value, const json_path& path,
                    std::string& target) {
  if (auto name = read_name(reader, value, path))
    target = std::move(*name);
}

void read_whole_into(json_reader& reader, json_value value, const json_path& path, std::int64_t min,
                     std::int64_t max, std::integral auto& target) {
  if (auto number = reader.read_whole(value, path, min, max))
    target = static_cast<std::remove_reference_t<decltype(target)>>(*number);
}

/// Reads one of a few words. `from` is the reader of the enumeration's names.
template <class Choice>
std::optional<Choice> read_choice(json_reader& reader, json_value value, const json_path& path,
                                  std::optional<Choice> (*from)(std::string_view) noexcept,
                                  std::string_view words) {
  auto text = reader.read_text(value, path, 64);
  if (!text)
    return std::nullopt;
  auto choice = from(*text);
  if (!choice)
    reader.problems().add_mismatch(path, words, in_quotes(*text));
  return choice;
}

/// Reads "name" or "name:version". A wrong one leaves the step without a model.
actors::step_spec read_reference(json_reader& reader, json_value value, const json_path& path) {
  actors::step_spec step;
  auto text = reader.read_text(value, path, 255);
  if (!text)
    return step;
  auto colon = text->rfind(':');
  auto name = text->substr(0, colon);
  auto version = colon == std::string::npos ? std::string{} : text->substr(colon + 1);
  auto has_version = colon != std::string::npos;
  if (!models::is_model_name(name)) {
    reader.problems().add_mismatch(
      path, "a model's name (1 to 128 letters, digits, '.', '_' and '-') or name:version",
      in_quotes(*text));
  } else if (has_version && !models::is_version(version)) {
    reader.problems().add_mismatch(path, "a whole number as the version", in_quotes(version));
  } else {
    step.model = std::move(name);
    step.version = std::move(version);
  }
  return step;
}

void read_model(json_reader& reader, json_value value, const json_path& path, job_draft& draft) {
  draft.model = {read_reference(reader, value, path)};
}

/// Reads a list of 1 to `steps_max` models or steps.
template <class ReadStep>
std::vector<actors::step_spec> read_steps_with(json_reader& reader, json_value value,
                                               const json_path& path, std::size_t steps_max,
                                               ReadStep read_step) {
  std::vector<actors::step_spec> steps;
  std::size_t count = 0;
  auto is_array = reader.read_array(value, path, [&](json_value element, const json_path& here) {
    if (++count <= steps_max)
      steps.push_back(read_step(element, here));
  });
  if (is_array && !reader.is_broken() && (count == 0 || count > steps_max))
    reader.problems().add_mismatch(path, "1 to " + std::to_string(steps_max) + " entries",
                                   std::to_string(count));
  return steps;
}

void read_models(json_reader& reader, json_value value, const json_path& path, job_draft& draft) {
  auto read_one = [&](json_value element, const json_path& here) {
    return read_reference(reader, element, here);
  };
  draft.models = read_steps_with(reader, value, path, draft.limits.steps_max, read_one);
}

/// One job of an array.
struct element_draft {
  member_names given;
  models::tensor_list inputs;
  std::uint32_t tensor_rank_max = 0;
};

constexpr member_reader<element_draft> element_members[] = {
  {"inputs",
   [](json_reader& reader, json_value value, const json_path& path, element_draft& draft) {
     draft.inputs = read_tensors(reader, value, path, draft.tensor_rank_max);
   }},
};

void read_array_of_jobs(json_reader& reader, json_value value, const json_path& path,
                        job_draft& draft) {
  const std::size_t jobs_max = draft.limits.array_jobs_max;
  std::size_t count = 0;
  auto is_array = reader.read_array(value, path, [&](json_value element, const json_path& here) {
    if (++count > jobs_max)
      return;
    element_draft one;
    one.tensor_rank_max = draft.limits.tensor_rank_max;
    auto is_object = reader.read_object<element_draft>(element, here, element_members, one);
    if (is_object && !reader.is_broken() && !one.given.contains("inputs"))
      reader.problems().add(here.member("inputs"), "missing");
    draft.array.push_back(std::move(one.inputs));
  });
  if (is_array && !reader.is_broken() && (count == 0 || count > jobs_max))
    reader.problems().add_mismatch(path, "1 to " + std::to_string(jobs_max) + " jobs",
                                   std::to_string(count));
}

struct step_draft {
  member_names given;
  actors::step_spec step;
};

void read_input_map(json_reader& reader, json_value value, const json_path& path,
                    step_draft& draft) {
  json_object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) {
    reader.problems().add_mismatch(path, "an object of names", json_reader::words_for(value));
    return;
  }
  reader.each_member(
    object, path, [&](std::string_view key, json_value output, const json_path& here, std::size_t) {
      if (!is_plain_name(key))
        reader.problems().add_mismatch(here, plain_name_words, "another name");
      else if (auto name = read_name(reader, output, here))
        draft.step.input_map.emplace(key, std::move(*name));
    });
}

constexpr member_reader<step_draft> step_members[] = {
  {"model",
   [](json_reader& reader, json_value value, const json_path& path, step_draft& draft) {
     auto named = read_reference(reader, value, path);
     draft.step.model = std::move(named.model);
     draft.step.version = std::move(named.version);
   }},
  {"map", read_input_map},
};

void read_steps(json_reader& reader, json_value value, const json_path& path, job_draft& draft) {
  auto read_one = [&](json_value element, const json_path& here) {
    step_draft one;
    auto is_object = reader.read_object<step_draft>(element, here, step_members, one);
    if (is_object && !reader.is_broken() && !one.given.contains("model"))
      reader.problems().add(here.member("model"), "missing");
    return std::move(one.step);
  };
  draft.steps = read_steps_with(reader, value, path, draft.limits.steps_max, read_one);
}

constexpr std::string_view reduction_words = "\"mean\", \"sum\", \"min\", \"max\" or \"histogram\"";

constexpr member_reader<reduce_draft> reduce_members[] = {
  {"method",
   [](json_reader& reader, json_value value, const json_path& path, reduce_draft& draft) {
     if (auto method = read_choice(reader, value, path, &actors::reduction_from, reduction_words))
       draft.method = *method;
   }},
  {"bins",
   [](json_reader& reader, json_value value, const json_path& path, reduce_draft& draft) {
     read_whole_into(reader, value, path, 1, histogram_bins_max, draft.bins);
   }},
  {"low",
   [](json_reader& reader, json_value value, const json_path& path, reduce_draft& draft) {
     draft.low = reader.read_number(value, path).value_or(draft.low);
   }},
  {"high",
   [](json_reader& reader, json_value value, const json_path& path, reduce_draft& draft) {
     draft.high = reader.read_number(value, path).value_or(draft.high);
   }},
};

void read_reduce(json_reader& reader, json_value value, const json_path& path, job_draft& draft) {
  if (json_reader::is_object(value))
    reader.read_object<reduce_draft>(value, path, reduce_members, draft.reduce);
  else if (auto method = read_choice(reader, value, path, &actors::reduction_from, reduction_words))
    draft.reduce.method = *method;
}

constexpr member_reader<aggregate_draft> aggregate_members[] = {
  {"method",
   [](json_reader& reader, json_value value, const json_path& path, aggregate_draft& draft) {
     if (auto method = read_choice(reader, value, path, &actors::aggregation_from,
                                   "\"weighted_mean\", \"mean\", \"median\" or \"trimmed_mean\""))
       draft.method = *method;
   }},
  {"trim",
   [](json_reader& reader, json_value value, const json_path& path, aggregate_draft& draft) {
     draft.trim = reader.read_number(value, path).value_or(draft.trim);
   }},
};

void read_weights(json_reader& reader, json_value value, const json_path& path, vote_draft& draft) {
  reader.read_array(value, path, [&](json_value element, const json_path& here) {
    auto weight = reader.read_number(element, here);
    if (weight && *weight <= 0)
      reader.problems().add_mismatch(here, "a weight above 0", json_reader::words_for(element));
    draft.weights.push_back(weight.value_or(1.0));
  });
}

constexpr member_reader<vote_draft> vote_members[] = {
  {"method",
   [](json_reader& reader, json_value value, const json_path& path, vote_draft& draft) {
     if (auto method = read_choice(reader, value, path, &actors::vote_method_from,
                                   "\"majority\" or \"weighted\""))
       draft.method = *method;
   }},
  {"tie",
   [](json_reader& reader, json_value value, const json_path& path, vote_draft& draft) {
     auto text = reader.read_text(value, path, 64);
     if (text && *text != "abstain" && *text != "no_consensus")
       reader.problems().add_mismatch(path, "\"no_consensus\" or \"abstain\"", in_quotes(*text));
     draft.tie_abstains = text && *text == "abstain";
   }},
  {"weights", read_weights},
};

std::vector<std::string> read_node_names(json_reader& reader, json_value value,
                                         const json_path& path) {
  std::vector<std::string> names;
  std::set<std::string, std::less<>> seen;
  std::size_t count = 0;
  auto is_array = reader.read_array(value, path, [&](json_value element, const json_path& here) {
    if (++count > listed_nodes_max)
      return;
    auto name = read_name(reader, element, here);
    if (name && !seen.insert(*name).second)
      reader.problems().add(here, in_quotes(*name) + " is given twice");
    names.push_back(name.value_or(""));
  });
  if (is_array && count > listed_nodes_max)
    reader.problems().add_mismatch(path, "at most " + std::to_string(listed_nodes_max) + " nodes",
                                   std::to_string(count));
  return names;
}

constexpr member_reader<nodes_draft> nodes_members[] = {
  {"min",
   [](json_reader& reader, json_value value, const json_path& path, nodes_draft& draft) {
     read_whole_into(reader, value, path, 1, nodes_max, draft.choice.min);
   }},
  {"max",
   [](json_reader& reader, json_value value, const json_path& path, nodes_draft& draft) {
     read_whole_into(reader, value, path, 1, nodes_max, draft.choice.max);
   }},
  {"include",
   [](json_reader& reader, json_value value, const json_path& path, nodes_draft& draft) {
     draft.choice.include = read_node_names(reader, value, path);
   }},
  {"exclude",
   [](json_reader& reader, json_value value, const json_path& path, nodes_draft& draft) {
     draft.choice.exclude = read_node_names(reader, value, path);
   }},
};

constexpr member_reader<retry_draft> retry_members[] = {
  {"attempts_max",
   [](json_reader& reader, json_value value, const json_path& path, retry_draft& draft) {
     read_whole_into(reader, value, path, 1, attempts_max, draft.choice.attempts_max);
   }},
  {"backoff_ms",
   [](json_reader& reader, json_value value, const json_path& path, retry_draft& draft) {
     read_whole_into(reader, value, path, 0, backoff_ms_max, draft.choice.backoff_ms);
   }},
  {"backoff_max_ms",
   [](json_reader& reader, json_value value, const json_path& path, retry_draft& draft) {
     read_whole_into(reader, value, path, 0, backoff_ms_max, draft.choice.backoff_max_ms);
   }},
};

using job_member = member_reader<job_draft>;

template <auto Member>
void read_name_member(json_reader& reader, json_value value, const json_path& path,
                      job_draft& draft) {
  read_name_into(reader, value, path, draft.spec.*Member);
}

template <auto Member, std::int64_t Min, std::int64_t Max>
void read_whole_member(json_reader& reader, json_value value, const json_path& path,
                       job_draft& draft) {
  read_whole_into(reader, value, path, Min, Max, draft.spec.*Member);
}

template <auto Member, const auto& Table>
void read_object_member(json_reader& reader, json_value value, const json_path& path,
                        job_draft& draft) {
  using target = std::remove_reference_t<decltype(draft.*Member)>;
  reader.read_object<target>(value, path, Table, draft.*Member);
}

template <auto Member>
void read_replicas(json_reader& reader, json_value value, const json_path& path, job_draft& draft) {
  if (auto number = reader.read_whole(value, path, 1, draft.limits.redundancy_max))
    draft.*Member = static_cast<std::uint32_t>(*number);
}

void refuse(json_reader& reader, json_value, const json_path& path, job_draft& draft) {
  ++draft.unsupported;
  reader.problems().add(path, "unsupported: command jobs do not exist yet");
}

constexpr job_member members[] = {
  {"name", read_name_member<&actors::job_spec::name>},
  {"description",
   [](json_reader& reader, json_value value, const json_path& path, job_draft& draft) {
     draft.spec.description = reader.read_text(value, path, description_bytes_max).value_or("");
   }},
  {"pattern",
   [](json_reader& reader, json_value value, const json_path& path, job_draft& draft) {
     draft.kind =
       read_choice(reader, value, path, &actors::pattern_from,
                   "\"single\", \"replicated\", \"collaborative\", \"comparative\" or \"chained\"");
   }},
  {"model", read_model},
  {"models", read_models},
  {"steps", read_steps},
  {"inputs",
   [](json_reader& reader, json_value value, const json_path& path, job_draft& draft) {
     draft.spec.inputs = read_tensors(reader, value, path, draft.limits.tensor_rank_max);
   }},
  {"array", read_array_of_jobs},
  {"cabinet", read_name_member<&actors::job_spec::cabinet>},
  {"redundancy", read_replicas<&job_draft::redundancy>},
  {"consensus", read_replicas<&job_draft::consensus>},
  {"compare",
   [](json_reader& reader, json_value value, const json_path& path, job_draft& draft) {
     if (auto choice = read_choice(reader, value, path, &actors::comparison_from,
                                   "\"automatic\", \"exact\", \"tensor\" or \"label\""))
       draft.spec.compare = *choice;
   }},
  {"reduce", read_reduce},
  {"aggregate", read_object_member<&job_draft::aggregate, aggregate_members>},
  {"vote", read_object_member<&job_draft::vote, vote_members>},
  {"nodes", read_object_member<&job_draft::nodes, nodes_members>},
  {"retry", read_object_member<&job_draft::retry, retry_members>},
  {"priority", read_whole_member<&actors::job_spec::priority, 0, priority_max>},
  {"timeout_ms",
   [](json_reader& reader, json_value value, const json_path& path, job_draft& draft) {
     auto max = static_cast<std::int64_t>(draft.limits.timeout_ms_max);
     read_whole_into(reader, value, path, 1, max, draft.spec.timeout_ms);
   }},
  {"hedge_after_ms",
   [](json_reader& reader, json_value value, const json_path& path, job_draft& draft) {
     auto max = static_cast<std::int64_t>(draft.limits.timeout_ms_max);
     read_whole_into(reader, value, path, 0, max, draft.spec.hedge_after_ms);
   }},
  {"required_cpu", read_whole_member<&actors::job_spec::required_cpu, 0, cores_max>},
  {"required_memory", read_whole_member<&actors::job_spec::required_memory, 0, memory_gb_max>},
  {"required_gpu",
   [](json_reader& reader, json_value value, const json_path& path, job_draft& draft) {
     draft.spec.required_gpu = reader.read_flag(value, path).value_or(false);
   }},
  {"submitted_by", read_name_member<&actors::job_spec::submitted_by>},
  {"docker_image", refuse},
  {"command", refuse},
  {"environment", refuse},
};

}  // namespace

std::span<const member_reader<job_draft>> job_members() {
  return members;
}

}  // namespace dim::gateway
