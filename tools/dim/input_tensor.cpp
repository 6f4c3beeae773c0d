#include "tools/dim/input_tensor.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "models/npy_file.hpp"

namespace dim::tools {

namespace {

/// The left side of `--input`.
struct declaration {
  std::string name;
  std::string datatype;
  std::optional<std::vector<std::int64_t>> shape;
};

tl::unexpected<command_failure> refuse(std::string_view input, const std::string& why) {
  return fail(exit_status::usage, "--input " + std::string{input.substr(0, 60)} + ": " + why);
}

std::optional<std::vector<std::int64_t>> shape_from(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']'))
    text = text.substr(1, text.size() - 2);
  std::vector<std::int64_t> result;
  while (!text.empty()) {
    std::int64_t extent = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), extent);
    if (error != std::errc{})
      return std::nullopt;
    result.push_back(extent);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.empty())
      break;
    if ((text[0] != 'x' && text[0] != ',') || text.size() == 1)
      return std::nullopt;
    text.remove_prefix(1);
  }
  return result;
}

std::optional<declaration> declaration_from(std::string_view text) {
  const auto last = text.rfind(':');
  if (last == text.npos)
    return declaration{std::string{text}, "", std::nullopt};
  const auto first = last == 0 ? text.npos : text.rfind(':', last - 1);
  auto shape = shape_from(text.substr(last + 1));
  if (first == text.npos || !shape)
    return std::nullopt;
  return declaration{std::string{text.substr(0, first)},
                     std::string{text.substr(first + 1, last - first - 1)}, std::move(shape)};
}

outcome<std::string> content_of(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::error_code error;
  if (!file || std::filesystem::is_directory(path, error))
    return fail(exit_status::usage, "can not read " + path);
  return std::string{std::istreambuf_iterator<char>{file}, {}};
}

/// One value between commas; discarded when it is none of `datatype`.
json value_from(const std::string& text, const std::string& datatype) {
  if (datatype == "BYTES")
    return text;
  auto value = json::parse(text, nullptr, false);
  return value.is_number() || value.is_boolean() ? value : json(json::value_t::discarded);
}

outcome<json> values_from(std::string_view input, const std::string& text,
                          const std::string& datatype) {
  if (text.starts_with('[')) {
    auto values = json::parse(text, nullptr, false);
    if (values.is_discarded())
      return refuse(input, "the values are not a JSON array");
    return values;
  }
  auto result = json::array();
  for (std::size_t begin = 0; begin < text.size();) {
    const auto comma = std::min(text.find(',', begin), text.size());
    const auto word = text.substr(begin, comma - begin);
    auto value = value_from(word, datatype);
    if (value.is_discarded())
      return refuse(input, "expected a number, true or false, got \"" + word + "\"");
    result.push_back(std::move(value));
    begin = comma + 1;
  }
  return result;
}

/// The double whose shortest text is also the shortest one of `value`.
double shortest(float value) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  double result = value;
  std::from_chars(text.data(), end, result);
  return result;
}

template <class Element>
outcome<json> elements_of(std::string_view data) {
  auto result = json::array();
  for (; data.size() >= sizeof(Element); data.remove_prefix(sizeof(Element))) {
    Element value{};
    std::memcpy(&value, data.data(), sizeof value);
    if constexpr (std::is_floating_point_v<Element>) {
      if (!std::isfinite(value))
        return fail(exit_status::usage, "NaN and infinity can not be sent as JSON");
    }
    if constexpr (std::is_same_v<Element, float>)
      result.push_back(shortest(value));
    else
      result.push_back(value);
  }
  return result;
}

outcome<json> elements_of(models::datatype type, std::string_view data) {
  using models::datatype;
  switch (type) {
    case datatype::boolean:
      return elements_of<bool>(data);
    case datatype::uint8:
      return elements_of<std::uint8_t>(data);
    case datatype::uint16:
      return elements_of<std::uint16_t>(data);
    case datatype::uint32:
      return elements_of<std::uint32_t>(data);
    case datatype::uint64:
      return elements_of<std::uint64_t>(data);
    case datatype::int8:
      return elements_of<std::int8_t>(data);
    case datatype::int16:
      return elements_of<std::int16_t>(data);
    case datatype::int32:
      return elements_of<std::int32_t>(data);
    case datatype::int64:
      return elements_of<std::int64_t>(data);
    case datatype::fp32:
      return elements_of<float>(data);
    case datatype::fp64:
      return elements_of<double>(data);
    case datatype::fp16:
    case datatype::bf16:
    case datatype::bytes:
      break;
  }
  return fail(exit_status::usage,
              std::string{to_string(type)} + " values can not be sent as JSON");
}

outcome<json> npy_tensor(std::string_view input, const declaration& declared,
                         const std::string& path) {
  auto file = models::npy_reader::open(path);
  if (!file)
    return refuse(input, file.error().message);
  const auto& header = file->header();
  const auto datatype = std::string{to_string(header.type)};
  if (!declared.datatype.empty() && declared.datatype != datatype)
    return refuse(input, path + " holds " + datatype);
  if (declared.shape && *declared.shape != header.shape)
    return refuse(input, path + " has the shape " + json(header.shape).dump());
  auto content = content_of(path);
  if (!content)
    return tl::unexpected(content.error());
  auto values = elements_of(header.type, std::string_view{*content}.substr(header.data_offset));
  if (!values)
    return refuse(input, values.error().message);
  return json{{"name", declared.name},
              {"datatype", datatype},
              {"shape", header.shape},
              {"data", std::move(*values)}};
}

}  // namespace

outcome<json> parse_input(std::string_view text) {
  const auto equals = text.find('=');
  const auto declared
    = equals == text.npos ? std::nullopt : declaration_from(text.substr(0, equals));
  if (!declared)
    return refuse(text, "expected NAME:DATATYPE:SHAPE=VALUES, such as x:FP32:1x3=0.5,1,2");
  auto values = std::string{text.substr(equals + 1)};
  const bool is_file = values.starts_with('@');
  if (is_file && values.ends_with(".npy"))
    return npy_tensor(text, *declared, values.substr(1));
  if (!declared->shape)
    return refuse(text, "expected a datatype and a shape: NAME:DATATYPE:SHAPE=VALUES");
  if (is_file) {
    auto content = content_of(values.substr(1));
    if (!content)
      return tl::unexpected(content.error());
    values = std::move(*content);
    values.erase(0, values.find_first_not_of(" \t\r\n"));
    if (!values.starts_with('['))
      return refuse(text, "the file does not hold a JSON array");
  }
  auto data = values_from(text, values, declared->datatype);
  if (!data)
    return data;
  return json{{"name", declared->name},
              {"datatype", declared->datatype},
              {"shape", *declared->shape},
              {"data", std::move(*data)}};
}

}  // namespace dim::tools
