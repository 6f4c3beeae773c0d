#include "gateway/inference/json_walker.hpp"

#include "gateway/inference/json_depth.hpp"

namespace dim::gateway {

namespace {

using runtime::error_code;
using simdjson::SUCCESS;

/// Parsers keep buffers of several times their largest text: only those of small ones are kept.
constexpr std::size_t kept_parser_max = 1 << 20;

}  // namespace

bool json_walker::open(const runtime::bytes& body, std::string_view text, object_type& root) {
  if (text.empty())
    return refuse(simdjson::EMPTY);
  if (is_deeper_than(text, protocol_depth_max))
    return refuse("failed to parse the request JSON: it is nested deeper than "
                  + std::to_string(protocol_depth_max) + " levels");
  thread_local simdjson::ondemand::parser kept_parser;
  auto& parser = text.size() <= kept_parser_max ? kept_parser : large_parser_.emplace();
  auto room = body.vector().capacity() - static_cast<std::size_t>(text.data() - body.data());
  if (room < text.size() + simdjson::SIMDJSON_PADDING) {
    text = padded_.emplace(text);
    room = text.size() + simdjson::SIMDJSON_PADDING;
  }
  auto error = parser.iterate(text.data(), text.size(), room).get(document_);
  if (error != SUCCESS)
    return refuse(error);
  return document_.get_object().get(root) == SUCCESS
         || refuse("failed to parse the request JSON: expected an object");
}

bool json_walker::close() {
  const char* location = nullptr;
  return document_.current_location().get(location) != SUCCESS
         || refuse(simdjson::TRAILING_CONTENT);
}

simdjson::ondemand::json_type json_walker::type_of(value_type& value) {
  auto type = simdjson::ondemand::json_type::null;
  return value.type().get(type) == SUCCESS ? type : simdjson::ondemand::json_type::null;
}

bool json_walker::read_text(value_type value, std::string_view where, std::string& result) {
  std::string_view text;
  if (value.get_string().get(text) != SUCCESS)
    return refuse_at(where, "expected a string");
  result = text;
  return true;
}

bool json_walker::read_flag(value_type value, std::string_view where, bool& result) {
  return value.get_bool().get(result) == SUCCESS
         || refuse("Invalid value for " + std::string{where} + ": expected a boolean");
}

bool json_walker::read_count(value_type value, std::string_view where, std::uint64_t max,
                             std::uint64_t& result) {
  return (value.get_uint64().get(result) == SUCCESS && result <= max)
         || refuse_at(where, "expected a whole number from 0 to " + std::to_string(max));
}

bool json_walker::refuse(std::string words, error_code code) {
  problem = {code, std::move(words), {}};
  return false;
}

bool json_walker::refuse_at(std::string_view where, std::string_view words) {
  std::string text{where};
  text += ": ";
  text += words;
  return refuse(std::move(text));
}

bool json_walker::refuse(simdjson::error_code error) {
  return refuse(std::string{"failed to parse the request JSON: "} + simdjson::error_message(error));
}

}  // namespace dim::gateway
