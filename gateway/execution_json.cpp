#include "gateway/execution_json.hpp"

#include <nlohmann/json.hpp>

#include "gateway/tensor_json_writer.hpp"

namespace dim::gateway {

namespace {

void write_place(json_writer& out, const actors::execution_record& execution) {
  out.text_or_null("node_id", execution.node_id);
  out.member("status", to_string(execution.state));
  out.member("step", execution.step);
  out.member("slot", execution.slot);
  out.member("attempt", execution.attempt);
}

void write_candidate(json_writer& out, const actors::candidate_score& candidate) {
  out.begin_object();
  out.member("node_id", candidate.node_id);
  out.text_or_null("node_name", candidate.node_name);
  out.member("chosen", candidate.chosen);
  out.text_or_null("refusal", candidate.refusal);
  out.member("reputation_term", static_cast<double>(candidate.reputation_term));
  out.member("free_share_term", static_cast<double>(candidate.free_share_term));
  out.member("cache_term", static_cast<double>(candidate.cache_term));
  out.member("score", static_cast<double>(candidate.score));
  out.end_object();
}

}  // namespace

void write_execution(json_writer& out, const actors::execution_record& execution) {
  auto& error = execution.error;
  out.begin_object();
  out.member("id", execution.id);
  out.member("job_id", execution.job_id);
  write_place(out, execution);
  out.member("epoch", execution.epoch);
  out.text_or_null("model", execution.model);
  out.text_or_null("version", execution.version);
  out.text_or_null("device", execution.device);
  out.time_or_null("scheduled_at", execution.scheduled_at);
  out.time_or_null("started_at", execution.started_at);
  out.time_or_null("completed_at", execution.completed_at);
  out.key("result");
  if (execution.outputs.empty())
    out.null();
  else
    write_tensors(out, execution.outputs);
  out.text_or_null("result_hash", execution.result_digest);
  out.member("rows", execution.rows);
  out.text_or_null("verdict", execution.verdict);
  auto has_failed = error.code != runtime::error_code::none;
  out.text_or_null("error_code", has_failed ? runtime::to_string(error.code) : "");
  out.text_or_null("error_message", error.message);
  out.text_or_null("logs", execution.logs);
  out.end_object();
}

void write_placement(json_writer& out, const actors::execution_record& execution) {
  out.begin_object();
  out.member("execution_id", execution.id);
  write_place(out, execution);
  out.key("candidates");
  out.begin_array();
  for (auto& each : execution.placement)
    write_candidate(out, each);
  out.end_array();
  out.end_object();
}

void write_event(json_writer& out, const actors::event& event) {
  out.begin_object();
  out.member("number", event.number);
  out.member("topic", event.topic);
  out.member("kind", event.kind);
  out.text_or_null("job_id", event.job_id);
  out.text_or_null("node_id", event.node_id);
  out.text_or_null("execution_id", event.execution_id);
  out.time_or_null("at", event.at);
  out.key("detail");
  if (event.detail.empty())
    out.null();
  else if (nlohmann::json::accept(event.detail))
    out.raw(event.detail);
  else
    out.value(event.detail);
  out.end_object();
}

}  // namespace dim::gateway
