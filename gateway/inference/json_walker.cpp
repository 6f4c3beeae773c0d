#include "gateway/inference/json_walker.hpp"

#include "gateway/inference/json_depth.hpp"

namespace dim::gateway {

namespace {

using runtime::error_code;
using simdjson::SUCCESS;

/// Parsers keep buffers of several times their largest text: only those of small ones are kept.
constexpr std::size_t kept_parser_max = 1 << 20;

/// The words of a problem with the text as JSON.
std::string broken(std::string_view what) {
  std::string words = "failed to parse the request JSON: ";
  words += what;
  return words;
}

/// Parsers of some versions pass over it.
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

/// What is wrong with a document that could not be opened as an object.
std::string_view words_for(simdjson::error_code error) {
  if (error == simdjson::INCORRECT_TYPE)
    return "expected an object";
  if (error == simdjson::INCOMPLETE_ARRAY_OR_OBJECT)
    return "expected an object that ends with the text";
  return simdjson::error_message(error);
}

}  // namespace

bool json_walker::open(const runtime::bytes& body, std::string_view text, object_type& root) {
  if (text.empty())
    return refuse(simdjson::EMPTY);
  if (text.starts_with(byte_order_mark))
    return refuse(broken("expected no byte order mark before it"));
  if (is_deeper_than(text, protocol_depth_max))
    return refuse(
      broken("it is nested deeper than " + std::to_string(protocol_depth_max) + " levels"));
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
  error = document_.get_object().get(root);
  return error == SUCCESS || refuse(broken(words_for(error)));
}

bool json_walker::close() {
  const char* location = nullptr;
  return document_.current_location().get(location) != SUCCESS
         || refuse(simdjson::TRAILING_CONTENT);
}

bool json_walker::find_member(object_type& object, std::size_t position, value_type& value) {
  if (auto error = object.reset().error(); error != SUCCESS)
    return refuse(error);
  std::size_t here = 0;
  for (auto found : object) {
    if (here++ != position)
      continue;
    simdjson::ondemand::field member;
    if (auto error = std::move(found).get(member); error != SUCCESS)
      return refuse(error);
    value = member.value();
    return true;
  }
  return refuse(simdjson::NO_SUCH_FIELD);
}

bool json_walker::pass_over(value_type value) {
  simdjson::ondemand::json_type type;
  auto error = value.type().get(type);
  if (error != SUCCESS)
    return refuse(error);
  auto is_true = false;
  double number = 0;
  std::string_view text;
  switch (type) {
    case simdjson::ondemand::json_type::array:
      return each_element(value, {}, [this](value_type each) { return pass_over(each); });
    case simdjson::ondemand::json_type::object:
      return each_member(
        value, {}, [this](std::string_view, value_type each) { return pass_over(each); });
    case simdjson::ondemand::json_type::null:
      return check_null(value);
    case simdjson::ondemand::json_type::boolean:
      return value.get_bool().get(is_true) == SUCCESS
             || refuse(broken("expected true or false"));
    case simdjson::ondemand::json_type::number:
      error = value.get_double().get(number);
      break;
    case simdjson::ondemand::json_type::string:
      error = value.get_string().get(text);
      break;
  }
  return error == SUCCESS || refuse(error);
}

bool json_walker::check_null(value_type value) {
  auto is_null = false;
  return (value.is_null().get(is_null) == SUCCESS && is_null)
         || refuse(broken("expected null"));
}

simdjson::ondemand::json_type json_walker::type_of(value_type& value) {
  auto type = simdjson::ondemand::json_type::null;
  return value.type().get(type) == SUCCESS ? type : simdjson::ondemand::json_type::null;
}

bool json_walker::read_text(value_type value, std::string_view where, std::string& result) {
  std::string_view text;
  auto error = value.get_string().get(text);
  if (error != SUCCESS)
    return refuse_at(where, error == simdjson::STRING_ERROR ? "expected a string with valid escapes"
                                                            : "expected a string");
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
  return refuse(broken(simdjson::error_message(error)));
}

}  // namespace dim::gateway
