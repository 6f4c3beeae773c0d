#include "gateway/handlers/models.hpp"

#include "gateway/handlers/model_upload.hpp"
#include "gateway/model_json.hpp"

namespace dim::gateway {

namespace {

using runtime::error_code;

http_reply render_entry(const actors::model_entry& entry) {
  json_writer out;
  write_model(out, entry);
  return json_reply(out.take());
}

http_reply render_list(const actors::model_list& list) {
  json_writer out;
  write_models(out, list);
  return json_reply(out.take());
}

/// The names under which else the model is asked for.
void write_aliases(json_writer& out, const std::string& name, const actors::served_models& served) {
  out.key("aliases");
  out.begin_array();
  for (auto& [alias, target] : served.aliases) {
    if (target.model != name)
      continue;
    out.begin_object();
    out.member("name", alias);
    out.text_or_null("version", target.version);
    out.end_object();
  }
  out.end_array();
}

http_reply render_versions(const std::string& name, const actors::model_list& list,
                           const actors::served_models& served) {
  json_writer out;
  out.begin_object();
  out.member("name", name);
  out.key("versions");
  out.begin_array();
  std::size_t count = 0;
  for (auto& each : list.models) {
    if (each.name != name)
      continue;
    write_model(out, each);
    ++count;
  }
  out.end_array();
  write_aliases(out, name, served);
  out.end_object();
  if (count == 0)
    return failure_reply({error_code::model_not_found, "no model is named " + name, {}});
  return json_reply(out.take());
}

void list(const handler_context& context, const exchange_ptr& exchange) {
  answer_with<actors::model_list>(context, exchange, actors::list_models{}, render_list);
}

void read_versions(const handler_context& context, const exchange_ptr& exchange) {
  std::string name{exchange->request().parameter("name")};
  auto go_on = [&context, exchange, name](runtime::expected<actors::model_list> all) {
    if (!all)
      return exchange->reply(failure_reply(all.error()));
    answer_with<actors::served_models>(
      context, exchange, actors::get_served_models{},
      [name, all = std::move(*all)](const actors::served_models& served) {
        return render_versions(name, all, served);
      });
  };
  context.bridge.ask<actors::model_list>(exchange, actors::list_models{}, context.request_timeout,
                                         std::move(go_on));
}

void read_version(const handler_context& context, const exchange_ptr& exchange) {
  auto& request = exchange->request();
  actors::find_model message{std::string{request.parameter("name")},
                             std::string{request.parameter("version")}};
  answer_with<actors::model_entry>(context, exchange, std::move(message), render_entry);
}

void remove(const handler_context& context, const exchange_ptr& exchange) {
  auto& request = exchange->request();
  actors::remove_model message{std::string{request.parameter("name")},
                               std::string{request.parameter("version")}};
  answer_with<actors::model_list>(context, exchange, std::move(message), render_list);
}

}  // namespace

void add_model_routes(router& routes, const handler_context& context) {
  auto add = [&](const char* method, const char* pattern, auto handle) {
    auto handle_it = [&context, handle](exchange_ptr exchange) { handle(context, exchange); };
    routes.add({method, pattern, std::move(handle_it), body_mode::buffered, "model-repository"});
  };
  add("GET", "/api/v1/models", list);
  add("GET", "/api/v1/models/{name}", read_versions);
  add("GET", "/api/v1/models/{name}/versions/{version}", read_version);
  add("DELETE", "/api/v1/models/{name}", remove);
  add("DELETE", "/api/v1/models/{name}/versions/{version}", remove);
  auto slots = std::make_shared<upload_slots>(context.uploads_max);
  auto upload = [&context, slots](exchange_ptr exchange) {
    start_model_upload(context, exchange, slots);
  };
  auto add_upload = [&](const char* method, const char* pattern) {
    routes.add({method, pattern, upload, body_mode::streamed, "model-repository"});
  };
  add_upload("POST", "/api/v1/models");
  add_upload("PUT", "/api/v1/models/{name}/versions/{version}");
}

}  // namespace dim::gateway
