#include "gateway/handlers/jobs.hpp"

#include "gateway/array_json.hpp"
#include "gateway/execution_json.hpp"
#include "gateway/handlers/job_view.hpp"
#include "gateway/job_json_reader.hpp"
#include "gateway/job_json_writer.hpp"
#include "gateway/query_reader.hpp"
#include "runtime/digest.hpp"
#include "runtime/ids.hpp"

namespace dim::gateway {

namespace {

using runtime::error_code;
using runtime::failure;

constexpr std::size_t idempotency_key_max = 255;
constexpr std::size_t id_max = 64;

bool is_idempotency_key(std::string_view key) {
  for (unsigned char c : key)
    if (c < 0x20 || c > 0x7e)
      return false;
  return key.size() <= idempotency_key_max;
}

std::string status_body(const std::string& id, actors::job_state state) {
  json_writer out;
  out.begin_object();
  out.member("id", id);
  out.member("status", to_string(state));
  out.end_object();
  return out.take();
}

/// Calls `next(id)` with the full id of the job that the path names by its id or a prefix of it.
template <class Next>
void with_job_id(const handler_context& context, const exchange_ptr& exchange, Next next) {
  std::string id{exchange->request().parameter("id")};
  if (runtime::is_uuid(id)) {
    next(std::move(id));
    return;
  }
  if (id.size() > id_max) {
    exchange->reply(failure_reply({error_code::not_found, "no such job", {}}));
    return;
  }
  context.bridge.ask<actors::job_view>(exchange, actors::get_job{std::move(id)},
                                       context.request_timeout,
                                       [exchange, next](runtime::expected<actors::job_view> view) {
                                         if (view)
                                           next(std::move(view->record.id));
                                         else
                                           exchange->reply(failure_reply(view.error()));
                                       });
}

http_reply render_new_array(const actors::submit_result& made) {
  json_writer out;
  write_new_array(out, made);
  auto answer = json_reply(out.take(), made.existed ? 200 : 202);
  answer.headers.emplace_back("Location", "/api/v1/arrays/" + made.array_id);
  return answer;
}

void submit(const handler_context& context, const exchange_ptr& exchange) {
  auto& request = exchange->request();
  std::string key{request.header("idempotency-key")};
  if (!is_idempotency_key(key)) {
    exchange->reply(failure_reply(
      {error_code::bad_input, "Idempotency-Key takes up to 255 printable ASCII characters", {}}));
    return;
  }
  auto wish = read_job(request.body, context.jobs);
  if (!wish) {
    exchange->reply(failure_reply(wish.error()));
    return;
  }
  actors::submit_job message{std::move(wish->spec), std::move(key),
                             runtime::sha256_hex(request.body.view()), std::move(wish->array)};
  answer_with<actors::submit_result>(
    context, exchange, std::move(message), [](const actors::submit_result& made) {
      if (!made.array_id.empty())
        return render_new_array(made);
      auto answer = json_reply(status_body(made.id, made.state), made.existed ? 200 : 202);
      answer.headers.emplace_back("Location", "/api/v1/jobs/" + made.id);
      return answer;
    });
}

http_reply render_page(const actors::job_page& page) {
  json_writer out;
  out.begin_object();
  out.key("jobs");
  out.begin_array();
  for (auto& job : page.jobs)
    write_job(out, job, nullptr);
  out.end_array();
  out.text_or_null("next_cursor", page.next_cursor);
  out.end_object();
  return json_reply(out.take());
}

void list(const handler_context& context, const exchange_ptr& exchange) {
  query_reader query{exchange->request()};
  actors::list_jobs message;
  message.status = query.text("status");
  message.pattern = query.text("pattern");
  message.submitted_by = query.text("submitted_by");
  message.cursor = query.text("cursor");
  message.array_id = query.text("array");
  message.limit = static_cast<std::uint32_t>(query.whole("limit", 1, 1'000, message.limit));
  if (!message.status.empty() && !actors::job_state_from(message.status))
    query.refuse("status", "no such status");
  if (!message.pattern.empty() && !actors::pattern_from(message.pattern))
    query.refuse("pattern", "no such pattern");
  if (!message.array_id.empty() && !runtime::is_uuid(message.array_id))
    query.refuse("array", "expected the whole id of an array");
  if (auto checked = query.finish(); !checked) {
    exchange->reply(failure_reply(checked.error()));
    return;
  }
  answer_with<actors::job_page>(context, exchange, std::move(message), render_page);
}

void read(const handler_context& context, const exchange_ptr& exchange) {
  std::string id{exchange->request().parameter("id")};
  query_reader query{exchange->request()};
  auto wait_ms = static_cast<std::uint32_t>(query.whole("wait_ms", 0, context.wait_ms_max, 0));
  if (auto checked = query.finish(); !checked) {
    exchange->reply(failure_reply(checked.error()));
    return;
  }
  if (id.size() > id_max) {
    exchange->reply(failure_reply({error_code::not_found, "no such job", {}}));
    return;
  }
  load_job_view(context, exchange, std::move(id), wait_ms,
                [exchange](runtime::expected<actors::job_view> view) {
                  if (!view) {
                    exchange->reply(failure_reply(view.error()));
                    return;
                  }
                  json_writer out;
                  write_job(out, view->record, view->has_result ? &view->result : nullptr);
                  exchange->reply(json_reply(out.take()));
                });
}

void cancel(const handler_context& context, const exchange_ptr& exchange) {
  with_job_id(context, exchange, [&context, exchange](std::string id) {
    answer_with<actors::job_status>(context, exchange, actors::cancel_job{std::move(id)},
                                    [](const actors::job_status& status) {
                                      return json_reply(status_body(status.id, status.state));
                                    });
  });
}

/// Answers {`name`: [...]} with what `write` makes of each execution of the job.
void list_executions(const handler_context& context, const exchange_ptr& exchange,
                     std::string_view name,
                     void (*write)(json_writer&, const actors::execution_record&)) {
  with_job_id(context, exchange, [&context, exchange, name, write](std::string id) {
    auto render = [name, write](const actors::execution_list& found) {
      json_writer out;
      out.begin_object();
      out.key(name);
      out.begin_array();
      for (auto& each : found.executions)
        write(out, each);
      out.end_array();
      out.end_object();
      return json_reply(out.take());
    };
    answer_with<actors::execution_list>(context, exchange, actors::get_executions{std::move(id)},
                                        render);
  });
}

void history(const handler_context& context, const exchange_ptr& exchange) {
  with_job_id(context, exchange, [&context, exchange](std::string id) {
    auto render = [](const actors::event_list& found) {
      json_writer out;
      out.begin_object();
      out.key("events");
      out.begin_array();
      for (auto& each : found.events)
        write_event(out, each);
      out.end_array();
      out.end_object();
      return json_reply(out.take());
    };
    answer_with<actors::event_list>(context, exchange, actors::get_history{std::move(id)}, render);
  });
}

}  // namespace

void add_job_routes(router& routes, const handler_context& context) {
  auto add = [&](const char* method, const char* pattern, auto handle) {
    auto handle_it = [&context, handle](exchange_ptr exchange) { handle(context, exchange); };
    routes.add({method, pattern, std::move(handle_it), body_mode::buffered, "inference"});
  };
  add("POST", "/api/v1/jobs", submit);
  add("GET", "/api/v1/jobs", list);
  add("GET", "/api/v1/jobs/{id}", read);
  add("DELETE", "/api/v1/jobs/{id}", cancel);
  add("GET", "/api/v1/jobs/{id}/history", history);
  add("GET", "/api/v1/jobs/{id}/executions", [](auto& shared, auto& exchange) {
    list_executions(shared, exchange, "executions", write_execution);
  });
  add("GET", "/api/v1/jobs/{id}/placement", [](auto& shared, auto& exchange) {
    list_executions(shared, exchange, "placements", write_placement);
  });
}

}  // namespace dim::gateway
