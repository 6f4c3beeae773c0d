#include "gateway/json_reader.hpp"

namespace dim::gateway {

namespace {

using simdjson::SUCCESS;
using simdjson::ondemand::json_type;

std::string_view name_of(json_type type) {
  switch (type) {
    case json_type::array:
      return "an array";
    case json_type::object:
      return "an object";
    case json_type::string:
      return "a string";
    case json_type::boolean:
      return "a boolean";
    case json_type::null:
      return "null";
    default:
      return "a number";
  }
}

/// The beginning of a number as it stands in the text.
std::string shown(std::string_view token) {
  constexpr std::size_t shown_max = 40;
  token = token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
  std::string text{token.substr(0, shown_max)};
  if (token.size() > shown_max)
    text.append("...");
  return text;
}

bool has_type(json_value& value, json_type wanted) {
  json_type type;
  return value.type().get(type) == SUCCESS && type == wanted;
}

}  // namespace

std::optional<json_object> json_reader::open(const runtime::bytes& body) {
  document_size_ = body.size();
  text_ = body.data();
  auto room = body.vector().capacity();
  if (room < body.size() + simdjson::SIMDJSON_PADDING) {
    padded_.emplace(body.view());
    text_ = padded_->data();
    room = body.size() + simdjson::SIMDJSON_PADDING;
  }
  auto error =
    body.empty() ? simdjson::EMPTY : parser_.iterate(text_, body.size(), room).get(document_);
  if (error != SUCCESS) {
    note_broken(error);
    return std::nullopt;
  }
  is_open_ = true;
  json_type type;
  if (document_.type().get(type) == SUCCESS && type != json_type::object) {
    problems_.add_mismatch(json_path{}, "an object", name_of(type));
    broken_ = true;
    return std::nullopt;
  }
  json_object root;
  error = document_.get_object().get(root);
  if (error != SUCCESS) {
    note_broken(error);
    return std::nullopt;
  }
  return root;
}

void json_reader::close() {
  const char* location = nullptr;
  if (!broken_ && document_.current_location().get(location) == SUCCESS)
    note_broken(simdjson::TRAILING_CONTENT);
}

void json_reader::note_broken(simdjson::error_code error) {
  if (broken_)
    return;
  broken_ = true;
  std::string words = "not valid JSON: ";
  words += simdjson::error_message(error);
  const char* location = nullptr;
  if (is_open_ && document_.current_location().get(location) == SUCCESS && location >= text_
      && location < text_ + document_size_)
    words += " (near byte " + std::to_string(location - text_) + ")";
  problems_.add(json_path{}, words);
}

std::optional<std::string> json_reader::read_text(json_value value, const json_path& path,
                                                  std::size_t bytes_max) {
  if (!has_type(value, json_type::string)) {
    problems_.add_mismatch(path, "a string", words_for(value));
    return std::nullopt;
  }
  std::string_view text;
  if (value.get_string().get(text) != SUCCESS) {
    problems_.add(path, "not a valid string");
    return std::nullopt;
  }
  if (text.size() > bytes_max) {
    problems_.add_mismatch(path, "at most " + std::to_string(bytes_max) + " bytes",
                           std::to_string(text.size()));
    return std::nullopt;
  }
  return std::string{text};
}

std::optional<std::int64_t> json_reader::read_whole(json_value value, const json_path& path,
                                                    std::int64_t min, std::int64_t max) {
  std::int64_t number = 0;
  if (value.get_int64().get(number) == SUCCESS && number >= min && number <= max)
    return number;
  problems_.add_mismatch(
    path, "a whole number from " + std::to_string(min) + " to " + std::to_string(max),
    words_for(value));
  return std::nullopt;
}

std::optional<double> json_reader::read_number(json_value value, const json_path& path) {
  double number = 0;
  if (value.get_double().get(number) == SUCCESS)
    return number;
  problems_.add_mismatch(path, "a finite number", words_for(value));
  return std::nullopt;
}

std::optional<bool> json_reader::read_flag(json_value value, const json_path& path) {
  bool flag = false;
  if (value.get_bool().get(flag) == SUCCESS)
    return flag;
  problems_.add_mismatch(path, "true or false", words_for(value));
  return std::nullopt;
}

bool json_reader::is_null(json_value value) {
  bool null = false;
  return has_type(value, json_type::null) && value.is_null().get(null) == SUCCESS && null;
}

bool json_reader::is_array(json_value value) {
  return has_type(value, json_type::array);
}

bool json_reader::is_object(json_value value) {
  return has_type(value, json_type::object);
}

std::string json_reader::words_for(json_value value) {
  json_type type;
  if (value.type().get(type) != SUCCESS)
    return "no JSON value";
  if (type == json_type::number || type == json_type::boolean)
    return shown(value.raw_json_token());
  return std::string{name_of(type)};
}

}  // namespace dim::gateway
