#include "runtime/record_codec.hpp"

#include <algorithm>
#include <exception>

#include <msgpack.hpp>

namespace dim::runtime {

namespace {

/// What msgpack's packer writes into.
struct buffer_stream {
  std::vector<char>& buffer;

  void write(const char* data, std::size_t size) {
    buffer.insert(buffer.end(), data, data + size);
  }
};

template <class Packing>
void pack_into(std::vector<char>& buffer, Packing packing) {
  buffer_stream stream{buffer};
  msgpack::packer<buffer_stream> packer{stream};
  packing(packer);
}

constexpr std::size_t allowance_floor = 1 << 20;
constexpr std::size_t allowance_factor = 64;

}  // namespace

void record_writer::put_bool(bool x) {
  pack_into(buffer_, [x](auto& packer) { packer.pack(x); });
}

void record_writer::put_unsigned(std::uint64_t x) {
  pack_into(buffer_, [x](auto& packer) { packer.pack_uint64(x); });
}

void record_writer::put_signed(std::int64_t x) {
  pack_into(buffer_, [x](auto& packer) { packer.pack_int64(x); });
}

void record_writer::put_text(std::string_view x) {
  const auto size = static_cast<std::uint32_t>(x.size());
  pack_into(buffer_, [&](auto& packer) { packer.pack_str(size).pack_str_body(x.data(), size); });
}

void record_writer::put_binary(std::string_view x) {
  const auto size = static_cast<std::uint32_t>(x.size());
  pack_into(buffer_, [&](auto& packer) { packer.pack_bin(size).pack_bin_body(x.data(), size); });
}

void record_writer::put_array(std::size_t size) {
  pack_into(buffer_,
            [size](auto& packer) { packer.pack_array(static_cast<std::uint32_t>(size)); });
}

void record_writer::put_map(std::size_t size) {
  pack_into(buffer_, [size](auto& packer) { packer.pack_map(static_cast<std::uint32_t>(size)); });
}

/// Turns msgpack's calls into a flat list of pieces. Nothing is allocated on the word of a header:
/// each piece has cost the input at least one byte.
struct piece_visitor : msgpack::null_visitor {
  using kind = record_reader::piece_kind;

  explicit piece_visitor(std::vector<record_reader::piece>& pieces) : pieces_(pieces) {
  }

  bool add(kind what, std::uint64_t value = 0, const char* data = nullptr) {
    pieces_.push_back({what, value, data});
    return true;
  }
  bool visit_nil() {
    return add(kind::other);
  }
  bool visit_boolean(bool x) {
    return add(kind::boolean, x ? 1 : 0);
  }
  bool visit_positive_integer(std::uint64_t x) {
    return add(kind::positive, x);
  }
  bool visit_negative_integer(std::int64_t x) {
    // The signed forms may hold a number that is not negative.
    return add(x < 0 ? kind::negative : kind::positive, static_cast<std::uint64_t>(x));
  }
  bool visit_float32(float) {
    return add(kind::other);
  }
  bool visit_float64(double) {
    return add(kind::other);
  }
  bool visit_str(const char* data, std::uint32_t size) {
    return add(kind::text, size, data);
  }
  bool visit_bin(const char* data, std::uint32_t size) {
    return add(kind::binary, size, data);
  }
  bool visit_ext(const char*, std::uint32_t) {
    return add(kind::other);
  }
  bool start_array(std::uint32_t size) {
    return add(kind::array, size);
  }
  bool start_map(std::uint32_t size) {
    return add(kind::map, size);
  }
  void parse_error(std::size_t, std::size_t) {
  }
  void insufficient_bytes(std::size_t, std::size_t) {
  }

private:
  std::vector<record_reader::piece>& pieces_;
};

record_reader::record_reader(std::string_view packed)
  : allowance_(allowance_floor + allowance_factor * packed.size()) {
  std::size_t end = 0;
  bool whole = false;
  try {
    piece_visitor visitor{pieces_};
    whole = msgpack::parse(packed.data(), packed.size(), end, visitor);
  } catch (const std::exception&) {
    whole = false;
  }
  if (!whole || end != packed.size())
    fail_with("not one whole msgpack value");
}

bool record_reader::fail_with(std::string problem) {
  if (problem_.empty())
    problem_ = std::move(problem);
  return false;
}

const record_reader::piece* record_reader::next(piece_kind kind) {
  if (position_ == pieces_.size() || pieces_[position_].kind != kind) {
    fail_with("element " + std::to_string(position_) + " is of another kind");
    return nullptr;
  }
  return &pieces_[position_++];
}

bool record_reader::take_bool(bool& x) {
  const piece* found = next(piece_kind::boolean);
  if (found != nullptr)
    x = found->value != 0;
  return found != nullptr;
}

std::optional<std::uint64_t> record_reader::take_unsigned(std::uint64_t highest) {
  const piece* found = next(piece_kind::positive);
  if (found == nullptr)
    return std::nullopt;
  if (found->value <= highest)
    return found->value;
  fail_with("element " + std::to_string(position_ - 1) + " is out of range");
  return std::nullopt;
}

std::optional<std::int64_t> record_reader::take_signed(std::int64_t lowest, std::int64_t highest) {
  const bool negative
    = position_ < pieces_.size() && pieces_[position_].kind == piece_kind::negative;
  const piece* found = next(negative ? piece_kind::negative : piece_kind::positive);
  if (found == nullptr)
    return std::nullopt;
  const auto value = static_cast<std::int64_t>(found->value);
  if (negative ? value >= lowest : value >= 0 && value <= highest)
    return value;
  fail_with("element " + std::to_string(position_ - 1) + " is out of range");
  return std::nullopt;
}

bool record_reader::open_array(std::size_t& size) {
  const piece* found = next(piece_kind::array);
  if (found != nullptr)
    size = found->value;
  return found != nullptr;
}

bool record_reader::open_map(std::size_t& size) {
  const piece* found = next(piece_kind::map);
  if (found != nullptr)
    size = found->value;
  return found != nullptr;
}

bool record_reader::allow(std::size_t count, std::size_t element_size) {
  if (count > allowance_ / element_size)
    return fail_with("a list is larger than its bytes can explain");
  allowance_ -= count * element_size;
  return true;
}

bool record_reader::skip() {
  // Not recursive: a hostile depth must not reach the stack's end.
  for (std::uint64_t open = 1; open > 0; --open) {
    if (position_ == pieces_.size())
      return fail_with("the record ends too early");
    const piece& here = pieces_[position_++];
    if (here.kind == piece_kind::array)
      open += here.value;
    else if (here.kind == piece_kind::map)
      open += 2 * here.value;
  }
  return true;
}

bool record_reader::read(std::string& x) {
  const piece* found = next(piece_kind::text);
  if (found != nullptr)
    x.assign(found->data, found->value);
  return found != nullptr;
}

bool record_reader::read(std::vector<char>& x) {
  const piece* found = next(piece_kind::binary);
  if (found != nullptr)
    x.assign(found->data, found->data + found->value);
  return found != nullptr;
}

bool record_reader::read(bytes& x) {
  std::vector<char> buffer;
  if (!read(buffer))
    return false;
  x = buffer.empty() ? bytes{} : bytes{std::move(buffer)};
  return true;
}

}  // namespace dim::runtime
