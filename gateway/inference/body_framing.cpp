#include "gateway/inference/body_framing.hpp"

#include <charconv>
#include <cstdint>
#include <string>

namespace dim::gateway {

runtime::expected<framed_body> frame_body(const http_request& request) {
  auto body = request.body.view();
  auto found = request.headers.find(json_length_field);
  if (found == request.headers.end())
    return framed_body{body, {}, false};
  const auto& text = found->second;
  std::uint64_t length = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc{} || end != text.data() + text.size() || length > body.size())
    return runtime::fail(runtime::error_code::bad_input,
                         "Inference-Header-Content-Length must be a whole number from 0 to the "
                         "body's length, "
                           + std::to_string(body.size()));
  auto json = body.substr(0, static_cast<std::size_t>(length));
  return framed_body{json, body.substr(json.size()), json.empty()};
}

}  // namespace dim::gateway
