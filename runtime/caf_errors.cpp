#include "runtime/caf_errors.hpp"

#include <caf/all.hpp>

#include "runtime/messages.hpp"

namespace dim::runtime {

namespace {

constexpr auto category = caf::atom("dim");

error_code code_of_system_error(caf::sec code) {
  switch (code) {
    case caf::sec::request_timeout:
      return error_code::timeout;
    case caf::sec::request_receiver_down:
    case caf::sec::cannot_connect_to_node:
    case caf::sec::no_actor_published_at_port:
      return error_code::unavailable;
    case caf::sec::remote_linking_failed:
    case caf::sec::disconnect_during_handshake:
      return error_code::node_lost;
    case caf::sec::unexpected_message:
    case caf::sec::unexpected_response:
    case caf::sec::unexpected_actor_messaging_interface:
    case caf::sec::incompatible_application_ids:
      return error_code::protocol_mismatch;
    default:
      return error_code::internal;
  }
}

}  // namespace

caf::error to_error(const failure& what) {
  return {static_cast<std::uint8_t>(what.code), category,
          caf::make_message(what.message, what.details)};
}

caf::error to_error(error_code code, std::string message, std::vector<std::string> details) {
  return to_error(failure{code, std::move(message), std::move(details)});
}

failure to_failure(const caf::error& what) {
  if (!what)
    return {};
  if (what.category() == category && what.code() < error_code_count) {
    failure result{static_cast<error_code>(what.code()), {}, {}};
    auto& context = what.context();
    if (context.match_elements<std::string, std::vector<std::string>>()) {
      result.message = context.get_as<std::string>(0);
      result.details = context.get_as<std::vector<std::string>>(1);
    }
    return result;
  }
  if (what.category() == caf::atom("system")) {
    auto code = static_cast<caf::sec>(what.code());
    return {code_of_system_error(code), "actor system: " + caf::to_string(code), {}};
  }
  if (what.category() == caf::atom("exit")) {
    auto reason = static_cast<caf::exit_reason>(what.code());
    auto lost = reason == caf::exit_reason::remote_link_unreachable;
    return {lost ? error_code::node_lost : error_code::unavailable,
            "actor ended: " + caf::to_string(reason), {}};
  }
  return {error_code::internal, "unknown error " + caf::to_string(what), {}};
}

}  // namespace dim::runtime
