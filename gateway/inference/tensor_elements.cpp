#include "gateway/inference/tensor_elements.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <type_traits>

#include "gateway/json_element.hpp"
#include "models/numbers.hpp"

namespace dim::gateway {

namespace {

using models::datatype;
using runtime::error_code;
using simdjson::SUCCESS;
using json_array = simdjson::ondemand::array;
using json_value = simdjson::ondemand::value;

/// Takes the elements of one fixed-size type; beyond `room` it only counts.
template <class T>
class number_sink {
public:
  explicit number_sink(std::uint64_t room) : data(room * sizeof(T)), room_(room) {
  }

  bool put(json_value value) {
    T element{};
    if (!read_element(value, element))
      return false;
    if (count < room_)
      std::memcpy(data.data() + count * sizeof(T), &element, sizeof(T));
    ++count;
    return true;
  }
  static std::string wanted() {
    return words_for_element<T>();
  }

  std::vector<char> data;
  std::uint64_t count = 0;

private:
  std::uint64_t room_;
};

/// Takes strings, each behind its 32-bit little-endian length.
class text_sink {
public:
  bool put(json_value value) {
    std::string_view text;
    if (value.get_string().get(text) != SUCCESS)
      return false;
    for (int shift = 0; shift < 32; shift += 8)
      data.push_back(static_cast<char>((text.size() >> shift) & 0xff));
    data.insert(data.end(), text.begin(), text.end());
    ++count;
    return true;
  }
  static std::string wanted() {
    return "a string with valid escapes";
  }

  std::vector<char> data;
  std::uint64_t count = 0;
};

constexpr const char* not_json = "not valid JSON";

template <class Sink>
class level_reader {
public:
  level_reader(const std::vector<std::int64_t>& shape, Sink& sink) : shape_(shape), sink_(sink) {
  }

  /// Reads the array that holds the dimensions from `level` on.
  bool read(json_value value, std::size_t level) {
    json_array array;
    if (value.get_array().get(array) != SUCCESS)
      return note("expected an array");
    auto count_before = sink_.count;
    std::uint64_t arrays = 0;
    std::uint64_t singles = 0;
    for (auto found : array) {
      json_value element;
      if (found.get(element) != SUCCESS)
        return note(not_json);
      if (singles == 0 && is_array(element)) {
        ++arrays;
        if (level + 1 >= shape_.size())
          return note("nested deeper than the shape");
        if (!read(element, level + 1))
          return false;
      } else if (arrays > 0 || !sink_.put(element)) {
        return note_element(element, arrays > 0 ? "an array" : Sink::wanted());
      } else {
        ++singles;
      }
    }
    return check_count(level, arrays, sink_.count - count_before);
  }

  std::string problem;

private:
  static bool is_array(json_value& element) {
    simdjson::ondemand::json_type type;
    return element.type().get(type) == SUCCESS && type == simdjson::ondemand::json_type::array;
  }

  bool check_count(std::size_t level, std::uint64_t arrays, std::uint64_t elements) {
    if (arrays > 0 && arrays != static_cast<std::uint64_t>(shape_[level]))
      return note("expected " + std::to_string(shape_[level]) + " arrays, got "
                  + std::to_string(arrays));
    std::uint64_t wanted = 1;
    for (auto i = level; i < shape_.size(); ++i)
      wanted *= static_cast<std::uint64_t>(shape_[i]);
    if (elements != wanted)
      return note("expected " + std::to_string(wanted) + " elements, got "
                  + std::to_string(elements));
    return true;
  }

  /// Where a value should stand there may be a bracket or a comma.
  bool note_element(json_value& element, const std::string& wanted) {
    return note(element.type().error() == SUCCESS
                  ? "element " + std::to_string(sink_.count) + ": expected " + wanted
                  : not_json);
  }

  bool note(std::string words) {
    problem = std::move(words);
    return false;
  }

  const std::vector<std::int64_t>& shape_;
  Sink& sink_;
};

template <class Sink>
runtime::expected<std::vector<char>> fill(json_value value, const std::vector<std::int64_t>& shape,
                                          Sink sink) {
  level_reader<Sink> reader{shape, sink};
  if (!reader.read(value, 0))
    return runtime::fail(error_code::bad_input, std::move(reader.problem));
  return std::move(sink.data);
}

}  // namespace

runtime::expected<std::vector<char>> read_elements(simdjson::ondemand::value data, datatype type,
                                                   const std::vector<std::int64_t>& shape,
                                                   std::uint64_t count, std::size_t text_size) {
  if (type == datatype::bytes)
    return fill(data, shape, text_sink{});
  // No shape makes the buffer larger than the text could fill it.
  auto room = std::min<std::uint64_t>(count, text_size / 2 + 1);
  if (type == datatype::boolean)
    return fill(data, shape, number_sink<bool>{room});
  runtime::expected<std::vector<char>> result = runtime::fail(
    error_code::bad_input, std::string{models::to_string(type)}
                             + " has no form in JSON; send it as binary data (binary_data_size)");
  models::visit_datatype(type, [&](const auto* tag) {
    using element = std::remove_const_t<std::remove_pointer_t<decltype(tag)>>;
    if constexpr (std::is_arithmetic_v<element>)
      result = fill(data, shape, number_sink<element>{room});
  });
  return result;
}

}  // namespace dim::gateway
