#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "gateway/problem_list.hpp"
#include "runtime/bytes.hpp"

namespace dim::gateway {

using json_value = simdjson::ondemand::value;
using json_object = simdjson::ondemand::object;

class json_reader;

/// How one member of an object is read into a `Target`. A null counts as not given. A target with a
/// set `given` gets the names of the members that were.
template <class Target>
struct member_reader {
  std::string_view name;
  void (*read)(json_reader& reader, json_value value, const json_path& path, Target& target);
};

/// Reads one JSON document straight from the body's bytes, with each value visited once and no tree
/// built. A value of the wrong kind is noted as a problem and passed over, so that one reading
/// finds all problems. Text that is not JSON ends the reading with one problem more.
class json_reader {
public:
  explicit json_reader(problem_list& problems) : problems_(problems) {
  }

  /// Reads the document in `body`, which must be an object of the members in `table`. Unknown and
  /// repeated members are problems.
  template <class Target>
  void read_document(const runtime::bytes& body, std::span<const member_reader<Target>> table,
                     Target& target);

  /// The same for an object inside the document. False when `value` is not an object.
  template <class Target>
  bool read_object(json_value value, const json_path& path,
                   std::span<const member_reader<Target>> table, Target& target);

  /// Calls `each(value, path)` for every element. False when `value` is not an array.
  template <class Each>
  bool read_array(json_value value, const json_path& path, Each each);

  /// A string of at most `bytes_max` bytes.
  std::optional<std::string> read_text(json_value value, const json_path& path,
                                       std::size_t bytes_max);
  /// A whole number between `min` and `max`, both included.
  std::optional<std::int64_t> read_whole(json_value value, const json_path& path, std::int64_t min,
                                         std::int64_t max);
  /// Any finite number.
  std::optional<double> read_number(json_value value, const json_path& path);
  std::optional<bool> read_flag(json_value value, const json_path& path);

  static bool is_null(json_value value);
  static bool is_array(json_value value);
  static bool is_object(json_value value);

  /// What stands there, for a problem: "a string", "an array", or the number itself.
  static std::string words_for(json_value value);

  problem_list& problems() noexcept {
    return problems_;
  }
  /// The size of the document's text: more elements than that can not be in it.
  std::size_t document_size() const noexcept {
    return document_size_;
  }
  /// Whether the text turned out not to be a JSON object: nothing more can be read.
  bool is_broken() const noexcept {
    return broken_;
  }

  /// Ends the reading, because of `error`.
  void note_broken(simdjson::error_code error);

  /// Calls `each(key, value, path, position)` for every member, but for repeated names, which are
  /// noted. `position` counts all members from 0.
  template <class Each>
  void each_member(json_object& object, const json_path& path, Each each);

private:
  /// Opens `body` as a document; empty when it is not one.
  std::optional<json_object> open(const runtime::bytes& body);
  void close();

  template <class Target>
  void read_members(json_object& object, const json_path& path,
                    std::span<const member_reader<Target>> table, Target& target);

  problem_list& problems_;
  simdjson::ondemand::parser parser_;
  simdjson::ondemand::document document_;
  const char* text_ = nullptr;
  std::size_t document_size_ = 0;
  /// A copy with the room behind it that simdjson reads ahead into, where `body` has none.
  std::optional<simdjson::padded_string> padded_;
  bool is_open_ = false;
  bool broken_ = false;
};

template <class Target>
void json_reader::read_document(const runtime::bytes& body,
                                std::span<const member_reader<Target>> table, Target& target) {
  auto root = open(body);
  if (!root)
    return;
  read_members(*root, json_path{}, table, target);
  close();
}

template <class Target>
bool json_reader::read_object(json_value value, const json_path& path,
                              std::span<const member_reader<Target>> table, Target& target) {
  json_object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) {
    problems_.add_mismatch(path, "an object", words_for(value));
    return false;
  }
  read_members(object, path, table, target);
  return true;
}

template <class Each>
bool json_reader::read_array(json_value value, const json_path& path, Each each) {
  simdjson::ondemand::array array;
  if (value.get_array().get(array) != simdjson::SUCCESS) {
    problems_.add_mismatch(path, "an array", words_for(value));
    return false;
  }
  std::size_t index = 0;
  for (auto found : array) {
    json_value element;
    if (auto error = found.get(element); error != simdjson::SUCCESS) {
      note_broken(error);
      return true;
    }
    each(element, path.at(index++));
    if (broken_)
      return true;
  }
  return true;
}

template <class Each>
void json_reader::each_member(json_object& object, const json_path& path, Each each) {
  std::set<std::string_view> seen;
  std::size_t position = 0;
  for (auto found : object) {
    simdjson::ondemand::field member;
    std::string_view key;
    auto error = std::move(found).get(member);
    if (error == simdjson::SUCCESS)
      error = member.unescaped_key().get(key);
    if (error != simdjson::SUCCESS) {
      note_broken(error);
      return;
    }
    auto here = path.member(key);
    if (!seen.insert(key).second)
      problems_.add(here, "given twice");
    else
      each(key, member.value(), here, position);
    if (broken_)
      return;
    ++position;
  }
}

template <class Target>
void json_reader::read_members(json_object& object, const json_path& path,
                               std::span<const member_reader<Target>> table, Target& target) {
  auto read = [&](std::string_view key, json_value value, const json_path& here, std::size_t) {
    for (auto& row : table) {
      if (row.name == key) {
        if (is_null(value))
          return;
        if constexpr (requires { target.given.insert(row.name); })
          target.given.insert(row.name);
        row.read(*this, value, here, target);
        return;
      }
    }
    problems_.add(here, "unknown member");
  };
  each_member(object, path, read);
}

}  // namespace dim::gateway
