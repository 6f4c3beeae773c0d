#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/dim/console.hpp"
#include "tools/dim/http_client.hpp"
#include "tools/dim/json_fields.hpp"
#include "tools/dim/outcome.hpp"

namespace dim::tools {

/// How a command is to answer.
struct answer_form {
  /// The gateway's JSON instead of tables.
  bool is_json = false;
  /// Nothing shortened.
  bool is_full = false;
};

/// A path and its query, built with everything encoded.
class target {
public:
  explicit target(std::string path) : text_(std::move(path)) {
  }
  /// Appends "/" and `segment`.
  target& at(std::string_view segment);
  /// Appends a query parameter, unless `value` is empty.
  target& with(std::string_view name, std::string_view value);

  const std::string& text() const noexcept {
    return text_;
  }

private:
  std::string text_;
};

/// What every command works with: the gateway, the console and the wished form of the answer.
class session {
public:
  session(http_client gateway, console& io, answer_form form, std::uint32_t retry_ms)
    : gateway_(std::move(gateway)), io_(io), form_(form), retry_ms_(retry_ms) {
  }

  /// Sends once. An answer of status 200 to 299 is given back as JSON. Errors: failed (the server
  /// said no, or no JSON), unreachable.
  outcome<json> send(const http_request& request, const http_client::progress& sent = nullptr);

  /// The same, with the answer as it came. `read` makes of it what `send` gives back.
  tl::expected<http_answer, no_answer> ask(const http_request& request,
                                           const http_client::progress& sent = nullptr);
  outcome<json> read(const http_answer& answer) const;

  /// How long to try again.
  std::chrono::milliseconds patience() const noexcept {
    return std::chrono::milliseconds{retry_ms_};
  }

  /// Sends again after a broken connection or a 503, with growing pauses, until `retry_ms` are
  /// over. Only for requests that do not count twice: reads, and those with an Idempotency-Key.
  outcome<json> send_patiently(const http_request& request);

  /// GET, once.
  outcome<json> get(const target& where, std::uint32_t wait_ms = 0);

  /// Where the gateway is.
  const address& gateway() const noexcept {
    return gateway_.server();
  }
  console& io() noexcept {
    return io_;
  }
  const answer_form& form() const noexcept {
    return form_;
  }
  bool is_json() const noexcept {
    return form_.is_json;
  }

private:
  http_client gateway_;
  console& io_;
  answer_form form_;
  std::uint32_t retry_ms_;
};

/// The pause that the server asks for; 0 where it names none, or a date.
std::chrono::milliseconds retry_after(const tl::expected<http_answer, no_answer>& answer);

/// Whether the gateway refused because of this member or parameter, whose name then begins the
/// message or one of its details.
bool names_field(const command_failure& why, std::string_view field);

/// Prints why a command ended to `io.err`: message, code and details, each on its line. Returns the
/// exit status as a number.
int report(console& io, const command_failure& failure);

}  // namespace dim::tools
