#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "runtime/bytes.hpp"
#include "runtime/errors.hpp"

/// Stored records as msgpack. The two classes have the shape of CAF's inspectors, so the one
/// `inspect` function of a struct serves the wire and the disk.
///
/// The format: a struct is an array of its members in `inspect`'s order; whole numbers, booleans
/// and text are msgpack's own; an enumeration is its number; `bytes` is binary; a vector is an
/// array; a map is a map. Members may be appended to a struct: an older, shorter array leaves them
/// at their defaults, and members that a newer program appended are passed over. There is no
/// floating point: see runtime/real.hpp.
namespace dim::runtime {

/// An enumeration that names its highest value with a function `last_value`: a record with a higher
/// number is refused.
template <class Enum>
concept bounded_enum = std::is_enum_v<Enum> && requires(Enum value) {
  { last_value(value) } -> std::same_as<Enum>;
};

/// Packs one record.
class record_writer {
public:
  using result_type = bool;
  static constexpr bool reads_state = true;
  static constexpr bool writes_state = false;

  /// Packs the members of a struct; called by its `inspect`.
  template <class... Members>
  bool operator()(Members&&... members) {
    put_array(sizeof...(members));
    (write(members), ...);
    return true;
  }

  /// Packs any supported value.
  template <class T>
  void write(const T& x) {
    if constexpr (std::is_same_v<T, bool>)
      put_bool(x);
    else if constexpr (std::is_enum_v<T>)
      put_unsigned(static_cast<std::uint64_t>(x));
    else if constexpr (std::unsigned_integral<T>)
      put_unsigned(x);
    else if constexpr (std::signed_integral<T>)
      put_signed(x);
    else if constexpr (std::is_same_v<T, bytes>)
      put_binary(x.view());
    else
      write_struct(const_cast<T&>(x));
  }
  void write(const std::string& x) {
    put_text(x);
  }
  void write(const std::vector<char>& x) {
    put_binary({x.data(), x.size()});
  }
  template <class T>
  void write(const std::vector<T>& x) {
    put_array(x.size());
    for (const auto& element : x)
      write(element);
  }
  template <class Key, class Value>
  void write(const std::map<Key, Value>& x) {
    put_map(x.size());
    for (const auto& [key, value] : x) {
      write(key);
      write(value);
    }
  }

  /// What was packed; the writer is empty afterwards.
  std::vector<char> take() {
    return std::move(buffer_);
  }

private:
  template <class T>
  void write_struct(T& x) {
    static_assert(!std::is_floating_point_v<T>, "records hold runtime::real instead");
    inspect(*this, x);
  }

  void put_bool(bool x);
  void put_unsigned(std::uint64_t x);
  void put_signed(std::int64_t x);
  void put_text(std::string_view x);
  void put_binary(std::string_view x);
  void put_array(std::size_t size);
  void put_map(std::size_t size);

  std::vector<char> buffer_;
};

/// Unpacks one record. Whatever the input is, reading it ends, and takes no more memory than a
/// small multiple of the input's size.
class record_reader {
public:
  using result_type = bool;
  static constexpr bool reads_state = false;
  static constexpr bool writes_state = true;

  /// Takes the packed text apart; `packed` must live as long as the reader.
  explicit record_reader(std::string_view packed);

  /// Unpacks the members of a struct; called by its `inspect`.
  template <class... Members>
  bool operator()(Members&&... members) {
    std::size_t left = 0;
    if (!open_array(left))
      return false;
    const bool all_read = ((left == 0 || (--left, read(members))) && ...);
    for (; all_read && left > 0; --left)
      if (!skip())
        return false;
    return all_read;
  }

  /// Unpacks any supported value.
  template <class T>
  bool read(T& x) {
    if constexpr (std::is_same_v<T, bool>)
      return take_bool(x);
    else if constexpr (std::is_enum_v<T>)
      return read_enum(x);
    else if constexpr (std::unsigned_integral<T>)
      return read_number(x, take_unsigned(std::numeric_limits<T>::max()));
    else if constexpr (std::signed_integral<T>)
      return read_number(
        x, take_signed(std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
    else
      return inspect(*this, x);
  }
  bool read(std::string& x);
  bool read(std::vector<char>& x);
  bool read(bytes& x);
  template <class T>
  bool read(std::vector<T>& x) {
    std::size_t size = 0;
    if (!open_array(size) || !allow(size, sizeof(T)))
      return false;
    x.clear();
    x.resize(size);
    for (auto& element : x)
      if (!read(element))
        return false;
    return true;
  }
  template <class Key, class Value>
  bool read(std::map<Key, Value>& x) {
    std::size_t size = 0;
    if (!open_map(size) || !allow(size, sizeof(std::pair<Key, Value>)))
      return false;
    x.clear();
    for (; size > 0; --size) {
      std::pair<Key, Value> entry;
      if (!read(entry.first) || !read(entry.second))
        return false;
      x.insert(std::move(entry));
    }
    return true;
  }

  /// Why reading failed, for the log.
  const std::string& problem() const noexcept {
    return problem_;
  }
  /// Records a failure; always false.
  bool fail_with(std::string problem);
  /// Whether all of the input was read.
  bool at_end() const noexcept {
    return position_ == pieces_.size();
  }

private:
  enum class piece_kind : std::uint8_t {
    nothing, boolean, positive, negative, text, binary, array, map, other
  };

  /// One element of the packed text: a number in `value`, or the span of a text, or the number of
  /// elements that follow.
  struct piece {
    piece_kind kind = piece_kind::nothing;
    std::uint64_t value = 0;
    const char* data = nullptr;
  };
  friend struct piece_visitor;

  template <class T>
  bool read_number(T& x, const auto& taken) {
    if (taken)
      x = static_cast<T>(*taken);
    return taken.has_value();
  }
  template <class Enum>
  bool read_enum(Enum& x) {
    using number = std::underlying_type_t<Enum>;
    std::uint64_t highest = static_cast<std::uint64_t>(std::numeric_limits<number>::max());
    if constexpr (bounded_enum<Enum>)
      highest = static_cast<std::uint64_t>(last_value(Enum{}));
    return read_number(x, take_unsigned(highest));
  }

  const piece* next(piece_kind kind);
  bool take_bool(bool& x);
  std::optional<std::uint64_t> take_unsigned(std::uint64_t highest);
  std::optional<std::int64_t> take_signed(std::int64_t lowest, std::int64_t highest);
  bool open_array(std::size_t& size);
  bool open_map(std::size_t& size);
  bool allow(std::size_t count, std::size_t element_size);
  bool skip();

  std::vector<piece> pieces_;
  std::size_t position_ = 0;
  /// Bytes that may still be allocated: without this limit a list of millions of empty structs,
  /// one byte each, would grow several hundred times.
  std::size_t allowance_ = 0;
  std::string problem_;
};

/// Packs `x`.
template <class T>
bytes encode_record(const T& x) {
  record_writer writer;
  writer.write(x);
  return bytes{writer.take()};
}

/// Unpacks a `T`. The failure is `store_corrupt`: the text is no record of this kind.
template <class T>
expected<T> decode_record(std::string_view packed) {
  record_reader reader{packed};
  T x{};
  if (!reader.problem().empty() || !reader.read(x))
    return fail(error_code::store_corrupt, "a stored record can not be read: " + reader.problem());
  if (!reader.at_end())
    return fail(error_code::store_corrupt, "a stored record goes on after its end");
  return x;
}

}  // namespace dim::runtime
