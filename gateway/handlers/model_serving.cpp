#include "gateway/handlers/model_serving.hpp"

#include "gateway/inference/answer_writer.hpp"
#include "gateway/inference/model_config_json.hpp"
#include "gateway/inference/served_model.hpp"
#include "gateway/inference/served_model_json.hpp"

namespace dim::gateway {

namespace {

using runtime::error_code;

http_reply render_server(const handler_context& context) {
  json_writer out;
  out.begin_object();
  out.member("name", context.server_name);
  out.member("version", DIM_VERSION);
  out.key("extensions");
  out.begin_array();
  for (auto name : {"classification", "model_repository", "model_repository(unload_dependents)",
                    "schedule_policy", "model_configuration", "binary_tensor_data", "parameters",
                    "statistics", "logging"})
    out.value(name);
  out.end_array();
  out.end_object();
  return json_reply(out.take());
}

using model_renderer = http_reply (*)(const actors::served_models& all,
                                      const actors::served_version& found);

http_reply render_metadata(const actors::served_models& all, const actors::served_version& found) {
  json_writer out;
  write_model_metadata(out, all, found);
  return json_reply(out.take());
}

http_reply render_config(const actors::served_models&, const actors::served_version& found) {
  json_writer out;
  write_model_config(out, found.model);
  return json_reply(out.take());
}

http_reply render_ready(const actors::served_models&, const actors::served_version& found) {
  auto is_ready = found.state == actors::serving_state::ready;
  json_writer out;
  out.begin_object();
  out.member("name", found.model.name);
  out.member("ready", is_ready);
  if (!is_ready)
    out.member("error", "Model version not ready");
  out.end_object();
  return json_reply(out.take(), is_ready ? 200 : 503);
}

/// What a request for a model of which no version is ready gets.
http_reply no_version_reply(const std::string& model, unsigned status) {
  return failure_reply({error_code::model_not_found,
                        "Request for unknown model: '" + model + "' has no available versions",
                        {}},
                       status);
}

/// Answers with what `render` makes of the version that the request means. While that is not
/// ready, the status is `unready_status`, unless `render` may show it all the same (0).
void show_model(const handler_context& context, const exchange_ptr& exchange, model_renderer render,
                unsigned unready_status) {
  auto& request = exchange->request();
  std::string name{request.parameter("model")};
  std::string version{request.parameter("version")};
  auto answer = [exchange, name, version, render,
                 unready_status](runtime::expected<actors::served_models> models) {
    if (!models)
      return exchange->reply(model_failure_reply(models.error(), name, version));
    auto* found = find_served(*models, name, version);
    if (found == nullptr && !version.empty())
      return exchange->reply(
        model_failure_reply({error_code::model_not_found, {}, {}}, name, version));
    auto is_ready = found != nullptr && found->state == actors::serving_state::ready;
    if (found == nullptr || (!is_ready && unready_status != 0))
      return exchange->reply(no_version_reply(name, unready_status == 0 ? 503 : unready_status));
    exchange->reply(render(*models, *found));
  };
  context.bridge.ask<actors::served_models>(exchange, actors::get_served_models{name},
                                            context.request_timeout, std::move(answer));
}

void show_statistics(const handler_context& context, const exchange_ptr& exchange) {
  auto& request = exchange->request();
  actors::get_model_statistics message{std::string{request.parameter("model")},
                                       std::string{request.parameter("version")}};
  context.bridge.ask<actors::model_statistics_list>(
    exchange, message, context.request_timeout,
    [exchange, message](runtime::expected<actors::model_statistics_list> list) {
      if (!list)
        return exchange->reply(model_failure_reply(list.error(), message.model, message.version));
      json_writer out;
      write_model_statistics(out, *list);
      exchange->reply(json_reply(out.take()));
    });
}

}  // namespace

void add_model_serving_routes(router& routes, const handler_context& context) {
  auto add = [&](std::string pattern, const char* api, request_handler handle) {
    routes.add({"GET", std::move(pattern), std::move(handle), body_mode::buffered, api});
  };
  auto show = [&context](model_renderer render, unsigned unready_status) {
    return [&context, render, unready_status](exchange_ptr exchange) {
      show_model(context, exchange, render, unready_status);
    };
  };
  auto statistics = [&context](exchange_ptr exchange) { show_statistics(context, exchange); };
  add("/v2", "metadata",
      [&context](exchange_ptr exchange) { exchange->reply(render_server(context)); });
  add("/v2/models/stats", "statistics", statistics);
  for (std::string model : {"/v2/models/{model}", "/v2/models/{model}/versions/{version}"}) {
    add(model, "metadata", show(render_metadata, 404));
    add(model + "/ready", "health", show(render_ready, 0));
    add(model + "/config", "model-config", show(render_config, 404));
    add(model + "/stats", "statistics", statistics);
  }
}

}  // namespace dim::gateway
