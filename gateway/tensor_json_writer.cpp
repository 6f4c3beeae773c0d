#include "gateway/tensor_json_writer.hpp"

#include <charconv>
#include <cmath>
#include <cstring>
#include <type_traits>

#include <simdjson.h>

#include "gateway/base64.hpp"
#include "models/numbers.hpp"

namespace dim::gateway {

namespace {

using models::datatype;

template <class T>
bool are_finite(std::string_view data) {
  for (std::size_t at = 0; at < data.size(); at += sizeof(T)) {
    T element;
    std::memcpy(&element, data.data() + at, sizeof(T));
    if (!std::isfinite(element))
      return false;
  }
  return true;
}

template <class T>
void append_numbers(std::string& text, std::string_view data) {
  constexpr std::size_t digits_max = 32;
  auto used = text.size();
  for (std::size_t at = 0; at < data.size(); at += sizeof(T)) {
    if (text.size() < used + digits_max)
      text.resize(text.size() + text.size() / 2 + digits_max);
    T element;
    std::memcpy(&element, data.data() + at, sizeof(T));
    if (at > 0)
      text[used++] = ',';
    auto* begin = text.data() + used;
    used += static_cast<std::size_t>(std::to_chars(begin, begin + digits_max, element).ptr - begin);
  }
  text.resize(used);
}

void append_flags(std::string& text, std::string_view data) {
  for (std::size_t at = 0; at < data.size(); ++at) {
    if (at > 0)
      text += ',';
    text += data[at] != 0 ? "true" : "false";
  }
}

/// Cuts the first element off BYTES data whose lengths are known to add up.
std::string_view next_text(std::string_view& data) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < 4; ++i)
    length |= static_cast<std::size_t>(static_cast<unsigned char>(data[i])) << (8 * i);
  auto text = data.substr(4, length);
  data.remove_prefix(4 + length);
  return text;
}

bool are_utf8(std::string_view data) {
  while (!data.empty())
    if (auto text = next_text(data); !simdjson::validate_utf8(text.data(), text.size()))
      return false;
  return true;
}

void write_base64(json_writer& out, const models::tensor& x, std::string_view reason) {
  out.member("data_base64", to_base64(x.data.view()));
  out.key("parameters");
  out.begin_object();
  out.member("encoding", "base64");
  out.member("reason", reason);
  out.end_object();
}

}  // namespace

std::string_view reason_against_json(const models::tensor& x) {
  if (!models::check_size(x))
    return "the data does not fit the shape";
  switch (x.type) {
    case datatype::fp16:
    case datatype::bf16:
      return "JSON has no such number format";
    case datatype::fp32:
      return are_finite<float>(x.data.view()) ? "" : "some numbers are not finite";
    case datatype::fp64:
      return are_finite<double>(x.data.view()) ? "" : "some numbers are not finite";
    case datatype::bytes:
      return are_utf8(x.data.view()) ? "" : "some texts are not UTF-8";
    default:
      return "";
  }
}

void write_tensor_data(json_writer& out, const models::tensor& x) {
  auto data = x.data.view();
  out.begin_array();
  if (x.type == datatype::bytes) {
    while (!data.empty())
      out.value(next_text(data));
  } else if (x.type == datatype::boolean) {
    append_flags(out.text(), data);
  } else {
    models::visit_datatype(x.type, [&](const auto* tag) {
      using element = std::remove_const_t<std::remove_pointer_t<decltype(tag)>>;
      if constexpr (std::is_arithmetic_v<element>)
        append_numbers<element>(out.text(), data);
    });
  }
  out.end_array();
}

void write_tensor(json_writer& out, const models::tensor& x) {
  out.begin_object();
  out.member("name", x.name);
  out.member("datatype", models::to_string(x.type));
  out.key("shape");
  out.begin_array();
  for (auto dimension : x.shape)
    out.value(dimension);
  out.end_array();
  if (x.is_detached()) {
    out.member("data", nullptr);
    out.member("digest", x.digest);
    out.member("byte_size", x.byte_size);
  } else if (auto reason = reason_against_json(x); !reason.empty()) {
    write_base64(out, x, reason);
  } else {
    out.key("data");
    write_tensor_data(out, x);
  }
  out.end_object();
}

void write_tensors(json_writer& out, const models::tensor_list& tensors) {
  out.begin_array();
  for (auto& each : tensors)
    write_tensor(out, each);
  out.end_array();
}

}  // namespace dim::gateway
