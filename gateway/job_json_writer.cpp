#include "gateway/job_json_writer.hpp"

#include "gateway/tensor_json_writer.hpp"

namespace dim::gateway {

namespace {

using actors::pattern;

/// The form in which a submission names a model.
std::string reference_of(const actors::step_spec& step) {
  return step.version.empty() ? step.model : step.model + ":" + step.version;
}

void write_step(json_writer& out, const actors::step_spec& step) {
  out.begin_object();
  out.member("model", step.model);
  out.text_or_null("version", step.version);
  out.text_or_null("digest", step.model_digest);
  out.member("weight", static_cast<double>(step.weight));
  out.key("map");
  out.begin_object();
  for (auto& [input, output] : step.input_map)
    out.member(input, output);
  out.end_object();
  out.end_object();
}

void write_models(json_writer& out, const actors::job_spec& spec) {
  auto has_one_model = spec.kind != pattern::comparative && spec.kind != pattern::chained;
  out.text_or_null("model", has_one_model && !spec.steps.empty() ? reference_of(spec.steps.front())
                                                                 : std::string{});
  out.key("models");
  out.begin_array();
  for (auto& step : spec.steps)
    out.value(reference_of(step));
  out.end_array();
  out.key("steps");
  out.begin_array();
  for (auto& step : spec.steps)
    write_step(out, step);
  out.end_array();
}

void write_joins(json_writer& out, const actors::job_spec& spec) {
  out.member("compare", to_string(spec.compare));
  out.key("reduce");
  out.begin_object();
  out.member("method", to_string(spec.reduce));
  if (spec.reduce == actors::reduction::histogram) {
    out.member("bins", spec.histogram_bins);
    out.member("low", static_cast<double>(spec.histogram_low));
    out.member("high", static_cast<double>(spec.histogram_high));
  }
  out.end_object();
  out.key("aggregate");
  out.begin_object();
  out.member("method", to_string(spec.aggregate));
  if (spec.aggregate == actors::aggregation::trimmed_mean)
    out.member("trim", static_cast<double>(spec.trim));
  out.end_object();
  out.key("vote");
  out.begin_object();
  out.member("method", to_string(spec.vote));
  out.member("tie", spec.tie_abstains ? "abstain" : "no_consensus");
  out.end_object();
}

void write_choices(json_writer& out, const actors::job_spec& spec) {
  out.key("nodes");
  out.begin_object();
  out.member("min", spec.nodes.min);
  if (spec.nodes.max == 0)
    out.member("max", nullptr);
  else
    out.member("max", spec.nodes.max);
  out.member("include", spec.nodes.include);
  out.member("exclude", spec.nodes.exclude);
  out.end_object();
  out.key("retry");
  out.begin_object();
  out.member("attempts_max", spec.retry.attempts_max);
  out.member("backoff_ms", spec.retry.backoff_ms);
  out.member("backoff_max_ms", spec.retry.backoff_max_ms);
  out.end_object();
}

/// What was asked for: the members of a submission, and those that command jobs will have.
void write_spec(json_writer& out, const actors::job_spec& spec) {
  out.text_or_null("name", spec.name);
  out.text_or_null("description", spec.description);
  out.member("pattern", to_string(spec.kind));
  write_models(out, spec);
  out.key("input_data");
  write_tensors(out, spec.inputs);
  out.text_or_null("cabinet", spec.cabinet);
  for (std::string_view later : {"docker_image", "command", "environment"})
    out.member(later, nullptr);
  out.member("redundancy", spec.redundancy);
  out.member("consensus", spec.consensus);
  write_joins(out, spec);
  write_choices(out, spec);
  out.member("priority", spec.priority);
  out.member("timeout_ms", spec.timeout_ms);
  out.member("hedge_after_ms", spec.hedge_after_ms);
  out.member("required_cpu", spec.required_cpu);
  out.member("required_memory", spec.required_memory);
  out.member("required_gpu", spec.required_gpu);
  out.member("credits_required", 1);
  out.text_or_null("submitted_by", spec.submitted_by);
}

void write_failure(json_writer& out, const runtime::failure& what) {
  if (what.code == runtime::error_code::none) {
    out.null();
    return;
  }
  out.begin_object();
  out.member("code", runtime::to_string(what.code));
  out.member("message", what.message.empty() ? runtime::sentence_of(what.code) : what.message);
  out.member("details", what.details);
  out.end_object();
}

void write_verification(json_writer& out, const actors::verification& verified) {
  if (verified.votes == 0) {
    out.null();
    return;
  }
  out.begin_object();
  out.member("votes", verified.votes);
  out.member("agree", verified.agreeing_nodes.size());
  out.member("disagree", verified.disagreeing_nodes.size());
  out.member("agreeing_nodes", verified.agreeing_nodes);
  out.member("disagreeing_nodes", verified.disagreeing_nodes);
  out.member("reached", verified.reached);
  out.text_or_null("consensus_hash", verified.consensus_digest);
  out.member("method", to_string(verified.method));
  out.time_or_null("reached_at", verified.reached_at);
  out.end_object();
}

void write_participant(json_writer& out, const actors::participant& x) {
  out.begin_object();
  out.text_or_null("model", x.model);
  out.text_or_null("version", x.version);
  out.text_or_null("node_id", x.node_id);
  out.text_or_null("label", x.label);
  out.member("weight", static_cast<double>(x.weight));
  out.member("rows", x.rows);
  out.key("outputs");
  write_tensors(out, x.outputs);
  out.key("error");
  write_failure(out, x.error);
  out.end_object();
}

void write_result(json_writer& out, const actors::job_result& result) {
  out.begin_object();
  out.key("outputs");
  write_tensors(out, result.outputs);
  out.text_or_null("digest", result.digest);
  out.member("partial", result.partial);
  out.member("missing", result.missing);
  out.key("verification");
  write_verification(out, result.verified);
  out.key("participants");
  out.begin_array();
  for (auto& each : result.participants)
    write_participant(out, each);
  out.end_array();
  out.text_or_null("label", result.label);
  out.member("agreement_ratio", static_cast<double>(result.agreement_ratio));
  out.member("rows", result.rows);
  out.end_object();
}

}  // namespace

void write_job(json_writer& out, const actors::job_record& job, const actors::job_result* result) {
  out.begin_object();
  out.member("id", job.id);
  out.text_or_null("array_id", job.array_id);
  if (job.array_id.empty())
    out.member("array_index", nullptr);
  else
    out.member("array_index", job.array_index);
  write_spec(out, job.spec);
  out.member("status", to_string(job.state));
  out.time_or_null("submitted_at", job.submitted_at);
  out.time_or_null("started_at", job.started_at);
  out.time_or_null("completed_at", job.completed_at);
  out.member("steps_done", job.steps_done);
  out.key("result");
  if (result == nullptr)
    out.null();
  else
    write_result(out, *result);
  out.key("error");
  write_failure(out, job.error);
  out.text_or_null("error_message", job.error.message);
  out.end_object();
}

}  // namespace dim::gateway
