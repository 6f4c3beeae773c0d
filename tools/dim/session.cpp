#include "tools/dim/session.hpp"

#include <algorithm>
#include <charconv>

#include "tools/dim/back_off.hpp"
#include "tools/dim/display_text.hpp"

namespace dim::tools {

namespace {

constexpr unsigned service_unavailable = 503;

tl::unexpected<command_failure> unreachable(const no_answer& why) {
  return fail(exit_status::unreachable, why.message);
}

}  // namespace

std::chrono::milliseconds retry_after(const tl::expected<http_answer, no_answer>& answer) {
  const auto none = std::chrono::milliseconds{0};
  if (!answer || !answer->headers.contains("retry-after"))
    return none;
  const auto& text = answer->headers.at("retry-after");
  unsigned seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool is_number = error == std::errc{} && end == text.data() + text.size();
  return is_number ? std::chrono::seconds{std::min(seconds, 3'600u)} : none;
}

target& target::at(std::string_view segment) {
  text_ += "/" + percent_encoded(segment);
  return *this;
}

target& target::with(std::string_view name, std::string_view value) {
  if (!value.empty())
    text_ += (text_.find('?') == text_.npos ? "?" : "&") + std::string{name} + "="
             + percent_encoded(value);
  return *this;
}

outcome<json> session::read(const http_answer& answer) const {
  auto content = json::parse(answer.body, nullptr, false);
  const bool is_good = answer.status >= 200 && answer.status < 300;
  if (is_good && answer.body.empty())
    return json::object();
  if (is_good && !content.is_discarded())
    return content;
  const auto status = "status " + std::to_string(answer.status) + " from "
                      + gateway_.server().authority();
  if (is_good)
    return fail(exit_status::failed, status + ", but the answer is not JSON");
  const auto message = content.is_discarded() ? "" : text_at(content, "error");
  command_failure failure{exit_status::failed, message.empty() ? status : message,
                          content.is_discarded() ? "" : text_at(content, "code"), {}};
  for (const auto& detail : list_at(content, "details"))
    failure.details.push_back(text_of(detail));
  return tl::unexpected<command_failure>(std::move(failure));
}

outcome<json> session::send(const http_request& request, const http_client::progress& sent) {
  const auto answer = gateway_.send(request, sent);
  if (!answer)
    return unreachable(answer.error());
  return read(*answer);
}

tl::expected<http_answer, no_answer> session::ask(const http_request& request,
                                                  const http_client::progress& sent) {
  return gateway_.send(request, sent);
}

outcome<json> session::send_patiently(const http_request& request) {
  back_off pauses{io_.now() + std::chrono::milliseconds{retry_ms_}};
  for (bool is_first = true;; is_first = false) {
    const auto answer = gateway_.send(request);
    if (answer && answer->status != service_unavailable)
      return read(*answer);
    const auto pause = pauses.next(io_.now(), retry_after(answer));
    if (!pause)
      return answer ? read(*answer) : unreachable(answer.error());
    if (is_first) {
      const auto why = answer ? read(*answer).error().message : answer.error().message;
      io_.err << "dim: " << cleaned(why) << "; trying again" << std::endl;
    }
    io_.pause(*pause);
  }
}

outcome<json> session::get(const target& where, std::uint32_t wait_ms) {
  http_request request;
  request.target = where.text();
  request.wait_ms = wait_ms;
  return send(request);
}

bool names_field(const command_failure& why, std::string_view field) {
  const auto begin = std::string{field} + ":";
  const auto is_named = [&begin](const std::string& text) { return text.starts_with(begin); };
  return is_named(why.message) || std::any_of(why.details.begin(), why.details.end(), is_named);
}

int report(console& io, const command_failure& failure) {
  io.err << painted(io, colour::red, "dim: " + cleaned(failure.message)) << '\n';
  if (!failure.code.empty())
    io.err << "code: " << cleaned(failure.code) << '\n';
  for (const auto& detail : failure.details)
    io.err << "  " << cleaned(detail) << '\n';
  io.err << std::flush;
  return static_cast<int>(failure.status);
}

}  // namespace dim::tools
