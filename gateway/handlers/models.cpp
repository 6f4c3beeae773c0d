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

http_reply render_versions(const std::string& name, const actors::model_list& list) {
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
  answer_with<actors::model_list>(
    context, exchange, actors::list_models{},
    [name](const actors::model_list& all) { return render_versions(name, all); });
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
    routes.add(
      {method, pattern, [&context, handle](exchange_ptr exchange) { handle(context, exchange); }});
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
  routes.add({"POST", "/api/v1/models", upload, body_mode::streamed});
  routes.add({"PUT", "/api/v1/models/{name}/versions/{version}", upload, body_mode::streamed});
}

}  // namespace dim::gateway
