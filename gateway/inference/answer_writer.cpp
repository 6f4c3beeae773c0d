#include "gateway/inference/answer_writer.hpp"

#include "gateway/http_status.hpp"
#include "gateway/inference/classification.hpp"
#include "gateway/json_writer.hpp"
#include "gateway/tensor_json_writer.hpp"

namespace dim::gateway {

namespace {

using runtime::error_code;

/// The client has closed its connection; nobody reads this. Not a registered status.
constexpr unsigned client_closed = 499;

void write_head(json_writer& out, const models::tensor& x) {
  out.member("name", x.name);
  out.member("datatype", models::to_string(x.type));
  out.key("shape");
  out.begin_array();
  for (auto dimension : x.shape)
    out.value(dimension);
  out.end_array();
}

runtime::expected<void> write_output(json_writer& out, http_reply& reply, const models::tensor& x,
                                     bool is_binary) {
  out.begin_object();
  write_head(out, x);
  if (is_binary) {
    out.key("parameters");
    out.begin_object();
    out.member("binary_data_size", x.data.size());
    out.end_object();
    if (!x.data.empty())
      reply.tail.push_back(x.data);
  } else if (auto reason = reason_against_json(x); !reason.empty()) {
    return runtime::fail(error_code::bad_input,
                         "output '" + x.name + "' has no form in JSON: " + std::string{reason}
                           + "; ask for it as binary data (the parameter 'binary_data')");
  } else {
    out.key("data");
    write_tensor_data(out, x);
  }
  out.end_object();
  return {};
}

/// Room for the numbers that become text in their shortest form, so that the JSON grows rarely.
std::size_t expected_size(const answer_form& form, const models::tensor_list& outputs) {
  std::size_t size = 256;
  for (auto& each : outputs)
    size += 128 + (form.is_binary(each.name) ? 0 : each.data.size() * 3);
  return size;
}

}  // namespace

const wanted_output* answer_form::wanted(const std::string& output) const {
  for (auto& each : outputs)
    if (each.name == output)
      return &each;
  return nullptr;
}

bool answer_form::is_binary(const std::string& output) const {
  auto* wish = wanted(output);
  return wish == nullptr ? is_binary_output : wish->is_binary;
}

runtime::expected<http_reply> write_answer(const answer_form& form,
                                           const actors::inference_done& done) {
  http_reply reply;
  json_writer out;
  out.text().reserve(expected_size(form, done.outputs));
  out.begin_object();
  if (!form.id.empty())
    out.member("id", form.id);
  out.member("model_name", done.model);
  out.member("model_version", done.version);
  out.key("outputs");
  out.begin_array();
  auto has_binary = false;
  for (auto& output : done.outputs) {
    auto* wish = form.wanted(output.name);
    auto is_binary = form.is_binary(output.name);
    auto is_classified = wish != nullptr && wish->classes > 0;
    auto classes = is_classified ? classify(output, form.spec, wish->classes)
                                 : runtime::expected<models::tensor>{models::tensor{}};
    if (!classes)
      return tl::unexpected<runtime::failure>(std::move(classes.error()));
    auto written = write_output(out, reply, is_classified ? *classes : output, is_binary);
    if (!written)
      return tl::unexpected<runtime::failure>(std::move(written.error()));
    has_binary = has_binary || is_binary;
  }
  out.end_array();
  out.end_object();
  reply.body = out.take();
  if (has_binary) {
    reply.content_type = "application/octet-stream";
    reply.headers.emplace_back("Inference-Header-Content-Length",
                               std::to_string(reply.body.size()));
  }
  return reply;
}

http_reply model_failure_reply(runtime::failure why, const std::string& model,
                               const std::string& version) {
  auto demand = [&](const std::string& words) {
    if (why.message.find(words) == std::string::npos)
      why.message = why.message.empty() ? words : words + ": " + why.message;
  };
  unsigned status = 0;
  switch (why.code) {
    case error_code::model_not_found:
      if (!why.message.starts_with("Request for unknown model"))
        why.message = "Request for unknown model: '" + model + "' "
                      + (version.empty() ? "" : "version " + version + " ") + "is not found";
      break;
    case error_code::overloaded:
      demand("Exceeds maximum queue size");
      break;
    case error_code::expired:
      demand("Request timeout expired");
      status = 503;
      break;
    case error_code::unsupported:
      status = 501;
      break;
    case error_code::cancelled:
      status = client_closed;
      break;
    default:
      break;
  }
  return failure_reply(why, status);
}

}  // namespace dim::gateway
