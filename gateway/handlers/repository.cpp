#include "gateway/handlers/repository.hpp"

#include "gateway/base64.hpp"
#include "gateway/coded_exchange.hpp"
#include "gateway/inference/answer_writer.hpp"
#include "gateway/inference/json_walker.hpp"
#include "gateway/inference/served_model_json.hpp"
#include "gateway/problem_list.hpp"
#include "models/sent_model.hpp"

namespace dim::gateway {

namespace {

using runtime::error_code;
using runtime::failure;
using json_value = json_walker::value_type;

constexpr std::string_view file_prefix = "file:";

/// Reads a body that may be empty; `each` as in `json_walker::read_document`.
template <class Each>
std::optional<failure> read_optional_body(const http_request& request, Each each) {
  json_walker walker;
  if (request.body.empty())
    return std::nullopt;
  auto is_read = walker.read_document(
    request.body, request.body.view(),
    [&](std::string_view key, json_value value) { return each(walker, key, value); });
  return is_read ? std::nullopt : std::optional{std::move(walker.problem)};
}

/// The same for the members of its "parameters".
template <class Each>
std::optional<failure> read_parameters(const http_request& request, Each each) {
  return read_optional_body(
    request, [&](json_walker& walker, std::string_view key, json_value value) {
      if (key != "parameters")
        return walker.pass_over(value);
      return walker.each_member(value, key, [&](std::string_view name, json_value parameter) {
        return each(walker, name, parameter);
      });
    });
}

void show_index(const handler_context& context, const exchange_ptr& exchange) {
  bool only_ready = false;
  auto problem = read_optional_body(
    exchange->request(), [&](json_walker& walker, std::string_view key, json_value value) {
      return key == "ready" ? walker.read_flag(value, "'ready'", only_ready)
                            : walker.pass_over(value);
    });
  if (problem)
    return exchange->reply(failure_reply(*problem));
  answer_with<actors::served_models>(context, exchange, actors::get_served_models{},
                                     [only_ready](const actors::served_models& models) {
                                       json_writer out;
                                       write_repository_index(out, models, only_ready);
                                       return json_reply(out.take());
                                     });
}

http_reply load_failure_reply(failure why, const std::string& model) {
  auto beginning = "failed to load '" + model + "'";
  if (why.code == error_code::model_not_found)
    why.message = beginning + ", failed to poll from model repository";
  else if (why.message.find("failed to load") == std::string::npos)
    why.message = beginning + ": " + why.message;
  return failure_reply(why, why.code == error_code::unsupported ? 501 : 0);
}

/// Asks MODELS to load or unload; a good end is answered with an empty body.
template <class Message>
void change_served(const handler_context& context, const exchange_ptr& exchange, Message message,
                   http_reply (*refusal)(failure, const std::string&)) {
  message.time_left_ms = static_cast<std::uint64_t>(context.load_timeout.count());
  auto name = message.name;
  context.bridge.ask<actors::served_models>(
    exchange, std::move(message), context.load_timeout,
    [exchange, name, refusal](runtime::expected<actors::served_models> models) {
      if (models)
        exchange->reply({});
      else
        exchange->reply(refusal(models.error(), name));
    });
}

/// Reads "file:<path>", a file of the model in base64.
bool read_file(json_walker& walker, const std::string& name, json_value value,
               std::map<std::string, runtime::bytes>& files) {
  const std::string where = "parameters." + name;
  if (files.size() >= models::sent_files_max)
    return walker.refuse_at("parameters", "expected at most "
                                            + std::to_string(models::sent_files_max) + " files");
  std::string text;
  if (!walker.read_text(value, where, text))
    return false;
  const auto data = from_base64(text);
  if (!data)
    return walker.refuse_at(where, "expected the file's bytes in base64, with padding");
  const bool is_first = files.emplace(name.substr(file_prefix.size()),
                                      runtime::bytes::copy_of(*data)).second;
  return is_first || walker.refuse_at(where, "expected each file once");
}

void load(const handler_context& context, const exchange_ptr& exchange) {
  actors::load_served_model message;
  message.name = exchange->request().parameter("model");
  auto problem = read_parameters(
    exchange->request(), [&](json_walker& walker, std::string_view name, json_value value) {
      if (name == "config")
        return walker.read_text(value, "parameters.config", message.config_json);
      return name.starts_with(file_prefix)
               ? read_file(walker, std::string{name}, value, message.files)
               : walker.pass_over(value);
    });
  if (problem)
    return exchange->reply(load_failure_reply(*problem, message.name));
  change_served(context, exchange, std::move(message), load_failure_reply);
}

void unload(const handler_context& context, const exchange_ptr& exchange) {
  actors::unload_served_model message;
  message.name = exchange->request().parameter("model");
  auto problem = read_parameters(
    exchange->request(), [&](json_walker& walker, std::string_view name, json_value value) {
      return name == "unload_dependents"
               ? walker.read_flag(value, "'unload_dependents'", message.dependents)
               : walker.pass_over(value);
    });
  if (problem)
    return exchange->reply(failure_reply(*problem));
  auto refusal = [](failure why, const std::string& name) {
    return model_failure_reply(std::move(why), name, {});
  };
  change_served(context, exchange, std::move(message), refusal);
}

void write_alias(json_writer& out, const std::string& name, const actors::model_alias& alias) {
  out.begin_object();
  out.member("name", name);
  out.member("model", alias.model);
  out.text_or_null("version", alias.version);
  out.end_object();
}

http_reply render_alias(const std::string& name, const actors::model_alias& alias) {
  json_writer out;
  write_alias(out, name, alias);
  return json_reply(out.take());
}

http_reply render_aliases(const actors::served_models& models) {
  json_writer out;
  out.begin_object();
  out.key("aliases");
  out.begin_array();
  for (auto& [name, alias] : models.aliases)
    write_alias(out, name, alias);
  out.end_array();
  out.end_object();
  return json_reply(out.take());
}

void list_aliases(const handler_context& context, const exchange_ptr& exchange) {
  answer_with<actors::served_models>(context, exchange, actors::get_served_models{},
                                     render_aliases);
}

void read_alias(const handler_context& context, const exchange_ptr& exchange) {
  std::string name{exchange->request().parameter("name")};
  answer_with<actors::served_models>(
    context, exchange, actors::get_served_models{}, [name](const actors::served_models& models) {
      auto found = models.aliases.find(name);
      if (found != models.aliases.end())
        return render_alias(name, found->second);
      return failure_reply({error_code::not_found, "no alias is named " + in_quotes(name), {}});
    });
}

void set_alias(const handler_context& context, const exchange_ptr& exchange) {
  actors::set_model_alias message;
  message.alias = exchange->request().parameter("name");
  auto problem = read_optional_body(
    exchange->request(), [&](json_walker& walker, std::string_view key, json_value value) {
      if (key == "model")
        return walker.read_text(value, key, message.target.model);
      return key == "version" ? walker.read_text(value, key, message.target.version)
                              : walker.refuse_at(key, "unknown member");
    });
  if (!problem && message.target.model.empty())
    problem = failure{error_code::bad_input, "model: missing", {}};
  if (problem)
    return exchange->reply(failure_reply(*problem));
  message.time_left_ms = static_cast<std::uint64_t>(context.load_timeout.count());
  auto name = message.alias;
  context.bridge.ask<actors::model_alias>(
    exchange, std::move(message), context.load_timeout + start_grace,
    [exchange, name](runtime::expected<actors::model_alias> alias) {
      exchange->reply(alias ? render_alias(name, *alias) : failure_reply(alias.error()));
    });
}

void remove_alias(const handler_context& context, const exchange_ptr& exchange) {
  actors::set_model_alias message;
  message.alias = exchange->request().parameter("name");
  answer_with<actors::model_alias>(context, exchange, std::move(message),
                                   [](const actors::model_alias&) {
                                     http_reply done;
                                     done.status = 204;
                                     return done;
                                   });
}

}  // namespace

void add_repository_routes(router& routes, const handler_context& context) {
  auto add = [&](const char* method, const char* pattern, auto handle) {
    auto coded =
      with_content_codings([&context, handle](exchange_ptr exchange) { handle(context, exchange); },
                           context.body_bytes_max);
    routes.add({method, pattern, std::move(coded), body_mode::buffered, "model-repository"});
  };
  add("POST", "/v2/repository/index", show_index);
  add("POST", "/v2/repository/models/{model}/load", load);
  add("POST", "/v2/repository/models/{model}/unload", unload);
  add("GET", "/api/v1/aliases", list_aliases);
  add("GET", "/api/v1/aliases/{name}", read_alias);
  add("PUT", "/api/v1/aliases/{name}", set_alias);
  add("DELETE", "/api/v1/aliases/{name}", remove_alias);
}

}  // namespace dim::gateway
