#include "gateway/handlers/inference.hpp"

#include <algorithm>
#include <atomic>
#include <memory>

#include "gateway/coded_exchange.hpp"
#include "gateway/inference/answer_writer.hpp"
#include "gateway/inference/body_framing.hpp"
#include "gateway/inference/raw_request.hpp"
#include "gateway/inference/request_reader.hpp"
#include "gateway/inference/served_model.hpp"
#include "runtime/random_source.hpp"

namespace dim::gateway {

namespace {

using runtime::error_code;
using runtime::failure;

/// How much later than its own deadline a request is given up here, so that the reason which the
/// actors tell comes first.
constexpr std::chrono::milliseconds answer_grace{500};

/// An answer with at most so much to write as text is written by the thread that brings it.
constexpr std::size_t text_bytes_here_max = 4 << 10;

/// Unique among the requests of all gateways: a random number for this process, and a count.
std::string next_request_id() {
  static const auto process = runtime::random_source{runtime::seed_from_system()}.next();
  static std::atomic<std::uint64_t> count{0};
  return "d" + std::to_string(process) + "-"
         + std::to_string(count.fetch_add(1, std::memory_order_relaxed));
}

/// One direct inference between its request and its answer.
struct direct_call {
  exchange_ptr exchange;
  std::string model;
  /// Empty: not asked for.
  std::string version;
  answer_form form;

  http_reply refusal(failure why) const {
    return model_failure_reply(std::move(why), model, version);
  }
  void refuse(failure why) const {
    exchange->reply(refusal(std::move(why)));
  }
};

using call_ptr = std::shared_ptr<direct_call>;

http_reply reply_to(const direct_call& call, runtime::expected<actors::inference_done> outcome) {
  if (!outcome)
    return call.refusal(std::move(outcome.error()));
  if (outcome->error.code != error_code::none)
    return call.refusal(std::move(outcome->error));
  auto reply = write_answer(call.form, *outcome);
  return reply ? std::move(*reply) : call.refusal(std::move(reply.error()));
}

/// How much of the outputs becomes text.
std::size_t text_bytes(const answer_form& form, const models::tensor_list& outputs) {
  std::size_t size = 0;
  for (auto& each : outputs)
    size += form.is_binary(each.name) ? 0 : each.data.size();
  return size;
}

/// A short answer is written as text by the thread that brings it: that of the connection has the
/// more to do. It goes out from there too while few others wait, so that no thread has to be woken
/// for it. Otherwise, and in the gaps between many, the connection's own thread is awake, and to
/// send takes long.
void answer_soon(const handler_context& context, const call_ptr& call,
                 runtime::expected<actors::inference_done> outcome) {
  if (outcome && text_bytes(call->form, outcome->outputs) > text_bytes_here_max) {
    call->exchange->post([call, outcome = std::move(outcome)]() mutable {
      call->exchange->reply(reply_to(*call, std::move(outcome)));
    });
    return;
  }
  auto reply = reply_to(*call, std::move(outcome));
  if (context.bridge.has_few())
    call->exchange->reply(std::move(reply));
  else
    call->exchange->post([call, reply = std::move(reply)]() mutable {
      call->exchange->reply(std::move(reply));
    });
}

/// In an actor's thread. What is thrown would end that actor, and with it the calls of all others;
/// the request is answered 500, as where a handler throws.
void answer_in_actor(const handler_context& context, const call_ptr& call,
                     runtime::expected<actors::inference_done> outcome) {
  try {
    answer_soon(context, call, std::move(outcome));
  } catch (const std::exception& problem) {
    call->refuse({error_code::internal, problem.what(), {}});
  }
}

void run(const handler_context& context, const call_ptr& call, inference_request request) {
  actors::run_inference message;
  message.request_id = next_request_id();
  message.model = call->model;
  message.version = call->version;
  message.inputs = std::move(request.inputs);
  for (auto& output : request.outputs)
    message.outputs.push_back(output.name);
  message.priority = request.priority;
  message.queue_timeout_us = request.timeout_us;
  message.time_left_ms = static_cast<std::uint64_t>(context.request_timeout.count());
  call->form.id = std::move(request.id);
  call->form.outputs = std::move(request.outputs);
  call->form.is_binary_output = request.is_binary_output;
  call->exchange->watch(
    [&context, id = message.request_id] { context.bridge.tell(actors::withdraw_inference{id}); });
  context.bridge.ask<actors::inference_done>(
    std::move(message), context.request_timeout + answer_grace,
    [&context, call](runtime::expected<actors::inference_done> outcome) {
      answer_in_actor(context, call, std::move(outcome));
    });
}

/// Asks what the model declares, for requests that can not be understood without.
void run_with_spec(const handler_context& context, const call_ptr& call,
                   std::optional<inference_request> request) {
  auto go_on = [&context, call, request = std::move(request)](
                 runtime::expected<actors::served_models> models) mutable {
    if (!models)
      return call->refuse(std::move(models.error()));
    auto found = find_ready(*models, call->model, call->version);
    if (!found)
      return call->refuse(std::move(found.error()));
    call->form.spec = (*found)->model.spec;
    if (request)
      return run(context, call, std::move(*request));
    auto raw =
      read_raw_request(call->exchange->request().body.view(), call->form.spec, call->model);
    if (!raw)
      return call->refuse(std::move(raw.error()));
    run(context, call, std::move(*raw));
  };
  context.bridge.ask<actors::served_models>(call->exchange, actors::get_served_models{call->model},
                                            context.request_timeout, std::move(go_on));
}

void infer(const handler_context& context, const exchange_ptr& exchange) {
  auto& request = exchange->request();
  auto call = std::make_shared<direct_call>();
  call->exchange = exchange;
  call->model = request.parameter("model");
  call->version = request.parameter("version");
  if (!call->version.empty() && !models::is_version(call->version))
    return call->refuse({error_code::model_not_found, {}, {}});
  auto framed = frame_body(request);
  if (!framed)
    return call->refuse(std::move(framed.error()));
  if (framed->is_raw)
    return run_with_spec(context, call, std::nullopt);
  auto read = read_inference_request(request.body, *framed, call->model);
  if (!read)
    return call->refuse(std::move(read.error()));
  auto is_classified = std::any_of(read->outputs.begin(), read->outputs.end(),
                                   [](const wanted_output& each) { return each.classes > 0; });
  if (is_classified)
    run_with_spec(context, call, std::move(*read));
  else
    run(context, call, std::move(*read));
}

}  // namespace

void add_inference_routes(router& routes, const handler_context& context) {
  auto handle = with_content_codings(
    [&context](exchange_ptr exchange) { infer(context, exchange); }, context.body_bytes_max);
  for (auto pattern : {"/v2/models/{model}/infer", "/v2/models/{model}/versions/{version}/infer",
                       "/api/v1/inference/{model}"})
    routes.add({"POST", pattern, handle, body_mode::buffered, "inference", true});
}

}  // namespace dim::gateway
