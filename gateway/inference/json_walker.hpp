#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "runtime/bytes.hpp"
#include "runtime/errors.hpp"

namespace dim::gateway {

/// Objects and arrays inside each other in a request of the protocol.
inline constexpr std::size_t protocol_depth_max = 100;

/// Walks through one JSON document in place, until the first problem. All functions return false
/// when `problem` has been set; then nothing more may be read.
///
/// Made for the Open Inference Protocol: who asks passes over members that it does not know
/// (`pass_over`), and a null counts as not given. For documents in which all problems are to be
/// found at once, and unknown members are problems, see `json_reader`.
class json_walker {
public:
  using value_type = simdjson::ondemand::value;
  using object_type = simdjson::ondemand::object;

  /// Calls `each(key, value)` for every member of the document, which must be an object. `text` is
  /// part of `body`, whose buffer has room behind its end for the parser, or is copied.
  template <class Each>
  bool read_document(const runtime::bytes& body, std::string_view text, Each each);

  /// Calls `each(key, value, position)` for every member, and stops when it returns false.
  /// `position` counts all members from 0.
  template <class Each>
  bool each_member(object_type& object, Each each);
  /// Calls `each(key, value)` for every member of a value that must be an object; `where` names it
  /// in the problem.
  template <class Each>
  bool each_member(value_type value, std::string_view where, Each each);
  /// Goes once more through an object, of which `each_member` has seen all, to the value at
  /// `position`. No key is unescaped again: the parser has room for each string once.
  bool find_member(object_type& object, std::size_t position, value_type& value);
  /// Calls `each(value)` for every element, and stops when it returns false.
  template <class Each>
  bool each_element(value_type value, std::string_view where, Each each);

  /// Looks whether a value that is of no interest is JSON: the parser checks only what is read.
  bool pass_over(value_type value);

  bool read_text(value_type value, std::string_view where, std::string& result);
  bool read_flag(value_type value, std::string_view where, bool& result);
  /// A whole number from 0 to `max`.
  bool read_count(value_type value, std::string_view where, std::uint64_t max,
                  std::uint64_t& result);

  static simdjson::ondemand::json_type type_of(value_type& value);

  /// Notes the problem; returns false.
  bool refuse(std::string words, runtime::error_code code = runtime::error_code::bad_input);
  bool refuse(simdjson::error_code error);
  /// Notes "where: words".
  bool refuse_at(std::string_view where, std::string_view words);

  runtime::failure problem;

private:
  bool open(const runtime::bytes& body, std::string_view text, object_type& root);
  bool close();
  bool check_null(value_type value);

  std::optional<simdjson::ondemand::parser> large_parser_;
  std::optional<simdjson::padded_string> padded_;
  simdjson::ondemand::document document_;
};

template <class Each>
bool json_walker::read_document(const runtime::bytes& body, std::string_view text, Each each) {
  object_type root;
  auto each_of_root = [&](std::string_view key, value_type value, std::size_t) {
    return each(key, value);
  };
  return open(body, text, root) && each_member(root, each_of_root) && close();
}

template <class Each>
bool json_walker::each_member(object_type& object, Each each) {
  std::size_t position = 0;
  for (auto found : object) {
    simdjson::ondemand::field member;
    std::string_view key;
    auto error = std::move(found).get(member);
    if (error == simdjson::SUCCESS)
      error = member.unescaped_key().get(key);
    if (error != simdjson::SUCCESS)
      return refuse(error);
    auto value = member.value();
    simdjson::ondemand::json_type type;
    error = value.type().get(type);
    if (error != simdjson::SUCCESS)
      return refuse(error);
    auto is_null = type == simdjson::ondemand::json_type::null;
    if (is_null ? !check_null(value) : !each(key, value, position))
      return false;
    ++position;
  }
  return true;
}

template <class Each>
bool json_walker::each_member(value_type value, std::string_view where, Each each) {
  object_type object;
  if (value.get_object().get(object) != simdjson::SUCCESS)
    return refuse_at(where, "expected an object");
  return each_member(object, [&](std::string_view key, value_type member, std::size_t) {
    return each(key, member);
  });
}

template <class Each>
bool json_walker::each_element(value_type value, std::string_view where, Each each) {
  simdjson::ondemand::array array;
  if (value.get_array().get(array) != simdjson::SUCCESS)
    return refuse_at(where, "expected an array");
  for (auto found : array) {
    value_type element;
    if (auto error = found.get(element); error != simdjson::SUCCESS)
      return refuse(error);
    if (!each(element))
      return false;
  }
  return true;
}

}  // namespace dim::gateway
