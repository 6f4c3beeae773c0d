#include "gateway/handlers/upload_wish.hpp"

#include <algorithm>

#include "gateway/base64.hpp"
#include "gateway/query_reader.hpp"
#include "models/model_spec.hpp"
#include "runtime/random_source.hpp"

namespace dim::gateway {

namespace {

using runtime::error_code;
using runtime::failure;

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (unsigned char byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

/// The SHA-256 out of a `Digest` header, as hex; empty when the header has none that can be read.
std::string digest_from(std::string_view header) {
  constexpr std::string_view algorithm = "sha-256=";
  while (!header.empty()) {
    auto comma = header.find(',');
    auto part = header.substr(0, comma);
    header.remove_prefix(comma == std::string_view::npos ? header.size() : comma + 1);
    part.remove_prefix(std::min(part.find_first_not_of(' '), part.size()));
    if (part.size() < algorithm.size())
      continue;
    std::string name{part.substr(0, algorithm.size())};
    for (auto& c : name)
      c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (name != algorithm)
      continue;
    auto bytes = from_base64(part.substr(algorithm.size()));
    return bytes && bytes->size() == 32 ? to_hex(*bytes) : std::string{};
  }
  return {};
}

/// Reads the configuration into `wish`; a question may do without.
void read_config(const http_request& request, query_reader& query, upload_wish& result) {
  const auto header = request.header("x-dim-model-config");
  const bool is_question = result.range && result.range->is_question();
  auto config = from_base64(header);
  if (config && (is_question || !config->empty()))
    result.message.config_toml = std::move(*config);
  else
    query.refuse("X-Dim-Model-Config", "expected the model's config.toml in base64");
}

/// Reads `Content-Range`, where there is one, and what it demands of the other fields.
void read_range(const http_request& request, query_reader& query, upload_wish& result) {
  const auto header = request.header("content-range");
  if (header.empty())
    return;
  result.range = parse_content_range(header);
  if (!result.range) {
    query.refuse("Content-Range",
                 "expected bytes FIRST-LAST/TOTAL or bytes */TOTAL, got " + in_quotes(header));
    return;
  }
  result.message.byte_size = result.range->total;
  const auto length = request.content_length;
  if (length && *length != result.range->length)
    query.refuse("Content-Length", "expected " + std::to_string(result.range->length)
                                     + " as Content-Range says, got " + std::to_string(*length));
  if (request.header("digest").empty())
    query.refuse("Digest", "expected sha-256=<base64> of the whole file");
}

}  // namespace

runtime::expected<upload_wish> read_upload_wish(const http_request& request) {
  query_reader query{request};
  upload_wish result;
  auto& wish = result.message;
  auto is_in_path = !request.parameter("name").empty();
  wish.name = is_in_path ? std::string{request.parameter("name")} : query.text("name");
  wish.version = is_in_path ? std::string{request.parameter("version")} : query.text("version");
  if (!models::is_model_name(wish.name))
    query.refuse(
      "name", "expected 1 to 128 letters, digits, '.', '_' and '-', got " + in_quotes(wish.name));
  if (!wish.version.empty() && !models::is_version(wish.version))
    query.refuse("version", "expected a whole number from 1, got " + in_quotes(wish.version));
  read_range(request, query, result);
  read_config(request, query, result);
  auto header = request.header("digest");
  wish.digest = digest_from(header);
  if (!header.empty() && wish.digest.empty())
    query.refuse("Digest", "expected sha-256=<base64>");
  if (!result.range && request.content_length == std::uint64_t{0})
    query.refuse("body", "expected the model file, got nothing");
  if (auto checked = query.finish(); !checked)
    return tl::unexpected<failure>(
      {error_code::bad_input, "the upload has problems", std::move(checked.error().details)});
  return result;
}

std::string random_upload_id() {
  runtime::random_source random{runtime::seed_from_system()};
  std::uint64_t words[] = {random.next(), random.next()};
  return to_hex({reinterpret_cast<const char*>(words), sizeof words});
}

}  // namespace dim::gateway
