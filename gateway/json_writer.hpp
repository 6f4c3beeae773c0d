#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dim::gateway {

/// Writes JSON text piece by piece, so that tensors go from their bytes into the answer without a
/// document tree between. The caller keeps objects and arrays balanced; the writer sets the commas.
class json_writer {
public:
  void begin_object() {
    open('{');
  }
  void end_object() {
    close('}');
  }
  void begin_array() {
    open('[');
  }
  void end_array() {
    close(']');
  }

  /// The name of the next value inside an object.
  void key(std::string_view name);

  /// A string; bytes that are not UTF-8 become U+FFFD.
  void value(std::string_view text);
  void value(const char* text) {
    value(std::string_view{text});
  }
  void value(const std::string& text) {
    value(std::string_view{text});
  }
  void value(std::same_as<bool> auto flag) {
    raw(flag ? "true" : "false");
  }
  void value(std::integral auto number) requires(!std::same_as<decltype(number), bool>) {
    raw(std::to_string(number));
  }
  /// In the shortest form that reads back equal; null for what JSON can not say (NaN, infinity).
  void value(double number);
  void null() {
    raw("null");
  }

  /// `text` as it is: one whole JSON value.
  void raw(std::string_view text);

  template <class T>
  void member(std::string_view name, const T& content) {
    key(name);
    value(content);
  }
  void member(std::string_view name, std::nullptr_t) {
    key(name);
    null();
  }
  /// An array of strings.
  void member(std::string_view name, const std::vector<std::string>& texts);
  /// null where `text` is empty.
  void text_or_null(std::string_view name, std::string_view text);
  /// "2025-11-20T15:04:05.123Z" from milliseconds since the Unix epoch; null for 0.
  void time_or_null(std::string_view name, std::int64_t milliseconds);

  /// For a writer of many numbers: the text so far, to be appended to. Call `begin_value` first.
  std::string& text() noexcept {
    return text_;
  }
  /// Sets the comma that the next value needs, and notes that a value stands there.
  void begin_value();

  std::string take() {
    return std::move(text_);
  }

private:
  void open(char bracket);
  void close(char bracket);

  std::string text_;
  bool needs_comma_ = false;
};

/// RFC 3339 in UTC with milliseconds.
std::string rfc3339(std::int64_t milliseconds);

}  // namespace dim::gateway
