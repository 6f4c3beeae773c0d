#include "tools/dim/bench_request.hpp"

#include <charconv>
#include <cstring>
#include <map>
#include <random>

#include "tools/dim/address.hpp"

namespace dim::tools {

namespace {

using shape = std::vector<std::uint64_t>;
using byte_writer = void (*)(std::string&, double);

constexpr std::size_t text_length = 16;
constexpr std::uint64_t elements_max = 1ull << 28;

/// Appends `value` as the little-endian bytes of a `Number`.
template <class Number>
void append(std::string& bytes, double value) {
  auto number = static_cast<Number>(value);
  char raw[sizeof(Number)];
  std::memcpy(raw, &number, sizeof(Number));
  bytes.append(raw, sizeof(Number));
}

/// The upper half of a float is a BF16; FP16 has other widths, and only the values that matter
/// here: 0 and +-1 to 2^-14.
void append_bf16(std::string& bytes, double value) {
  auto single = static_cast<float>(value);
  std::uint32_t bits = 0;
  std::memcpy(&bits, &single, sizeof(bits));
  append<std::uint16_t>(bytes, bits >> 16);
}

void append_fp16(std::string& bytes, double value) {
  auto single = static_cast<float>(value);
  std::uint32_t bits = 0;
  std::memcpy(&bits, &single, sizeof(bits));
  auto exponent = static_cast<int>((bits >> 23) & 0xff) - 127 + 15;
  auto half = exponent <= 0 ? 0u
                            : (bits >> 16 & 0x8000u) | static_cast<unsigned>(exponent) << 10
                                | (bits >> 13 & 0x3ffu);
  append<std::uint16_t>(bytes, half);
}

struct number_type {
  byte_writer write;
  bool is_whole;
  bool fits_json;
};

const std::map<std::string, number_type> number_types{
  {"BOOL", {append<std::uint8_t>, true, true}},
  {"INT8", {append<std::int8_t>, true, true}},
  {"INT16", {append<std::int16_t>, true, true}},
  {"INT32", {append<std::int32_t>, true, true}},
  {"INT64", {append<std::int64_t>, true, true}},
  {"UINT8", {append<std::uint8_t>, true, true}},
  {"UINT16", {append<std::uint16_t>, true, true}},
  {"UINT32", {append<std::uint32_t>, true, true}},
  {"UINT64", {append<std::uint64_t>, true, true}},
  {"FP16", {append_fp16, false, false}},
  {"BF16", {append_bf16, false, false}},
  {"FP32", {append<float>, false, true}},
  {"FP64", {append<double>, false, true}},
};

outcome<std::map<std::string, shape>> given_shapes(const bench_wish& wish) {
  std::map<std::string, shape> result;
  for (auto& text : wish.shapes) {
    auto equals = text.rfind('=');
    auto refuse = [&] {
      return fail(exit_status::usage, "--shape " + text + ": expected NAME=2x64");
    };
    if (equals == std::string::npos || equals == 0)
      return refuse();
    auto& dimensions = result[text.substr(0, equals)];
    const char* at = text.data() + equals + 1;
    const char* end = text.data() + text.size();
    for (;;) {
      std::uint64_t size = 0;
      auto [next, problem] = std::from_chars(at, end, size);
      if (problem != std::errc{} || (next != end && *next != 'x'))
        return refuse();
      dimensions.push_back(size);
      if (next == end)
        break;
      at = next + 1;
    }
  }
  return result;
}

shape shape_of(const json& input, const bench_wish& wish) {
  shape result;
  for (auto& dimension : list_at(input, "shape")) {
    auto size = dimension.is_number_integer() ? dimension.get<std::int64_t>() : 1;
    if (size >= 0)
      result.push_back(static_cast<std::uint64_t>(size));
    else
      result.push_back(result.empty() ? wish.batch : wish.size);
  }
  return result;
}

bool is_batched(const json& input) {
  auto dimensions = list_at(input, "shape");
  return !dimensions.empty() && dimensions.front() == -1;
}

/// Values of one tensor, as JSON and as bytes.
class value_maker {
public:
  explicit value_maker(std::uint64_t seed) : random_(seed) {
  }

  outcome<void> fill(json& tensor, std::string& bytes, const std::string& datatype,
                     std::uint64_t count, bool is_binary) {
    if (datatype == "BYTES") {
      fill_texts(tensor, bytes, count, is_binary);
      return {};
    }
    auto type = number_types.find(datatype);
    if (type == number_types.end())
      return fail(exit_status::usage, "the datatype " + datatype + " is not known");
    if (!is_binary && !type->second.fits_json)
      return fail(exit_status::usage, datatype + " has no form in JSON: use --binary");
    for (std::uint64_t index = 0; index < count; ++index) {
      auto value = number(datatype, type->second.is_whole);
      if (is_binary)
        type->second.write(bytes, value);
      else if (datatype == "BOOL")
        tensor["data"].push_back(value != 0);
      else if (type->second.is_whole)
        tensor["data"].push_back(static_cast<int>(value));
      else
        tensor["data"].push_back(value);
    }
    return {};
  }

private:
  double number(const std::string& datatype, bool is_whole) {
    if (is_whole)
      return static_cast<double>(random_() % (datatype == "BOOL" ? 2 : 10));
    // Four digits, as data from a file would have.
    return (static_cast<double>(random_() % 20'001) - 10'000) / 10'000;
  }

  void fill_texts(json& tensor, std::string& bytes, std::uint64_t count, bool is_binary) {
    for (std::uint64_t index = 0; index < count; ++index) {
      std::string text;
      while (text.size() < text_length)
        text += static_cast<char>('a' + random_() % 26);
      if (is_binary) {
        append<std::uint32_t>(bytes, static_cast<double>(text.size()));
        bytes += text;
      } else {
        tensor["data"].push_back(text);
      }
    }
  }

  std::mt19937_64 random_;
};

}  // namespace

std::string model_path(const bench_wish& wish) {
  auto colon = wish.model.find(':');
  auto path = "/v2/models/" + percent_encoded(wish.model.substr(0, colon));
  if (colon != std::string::npos)
    path += "/versions/" + percent_encoded(wish.model.substr(colon + 1));
  return path;
}

outcome<bench_request> make_bench_request(const json& metadata, const bench_wish& wish) {
  auto shapes = given_shapes(wish);
  if (!shapes)
    return tl::unexpected(shapes.error());
  value_maker values{wish.seed};
  bench_request result;
  std::string tail;
  json head;
  head["inputs"] = json::array();
  for (auto& input : list_at(metadata, "inputs")) {
    auto name = text_at(input, "name");
    auto datatype = text_at(input, "datatype");
    auto given = shapes->extract(name);
    auto dimensions = given.empty() ? shape_of(input, wish) : given.mapped();
    std::uint64_t count = 1;
    for (auto size : dimensions)
      count = size == 0 || count <= elements_max / size ? count * size : elements_max + 1;
    if (count > elements_max)
      return fail(exit_status::usage, "the input '" + name + "' is too large");
    json tensor{{"name", name}, {"datatype", datatype}, {"shape", dimensions}};
    if (!wish.is_binary)
      tensor["data"] = json::array();
    auto before = tail.size();
    if (auto filled = values.fill(tensor, tail, datatype, count, wish.is_binary); !filled)
      return tl::unexpected(filled.error());
    if (wish.is_binary)
      tensor["parameters"] = {{"binary_data_size", tail.size() - before}};
    if (head["inputs"].empty() && !dimensions.empty() && is_batched(input))
      result.rows = dimensions.front();
    head["inputs"].push_back(std::move(tensor));
  }
  if (!shapes->empty())
    return fail(exit_status::usage, "the model has no input '" + shapes->begin()->first + "'");
  if (wish.is_binary)
    head["parameters"] = {{"binary_data_output", true}};
  result.body = head.dump();
  result.json_bytes = result.body.size();
  result.body += tail;
  return result;
}

}  // namespace dim::tools
