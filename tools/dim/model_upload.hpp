#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tools/dim/back_off.hpp"
#include "tools/dim/session.hpp"

namespace dim::tools {

/// What is to be uploaded.
struct upload_wish {
  /// The request for the whole file, but for its body: target, digest and configuration.
  http_request request;
  std::string file;
  std::uint64_t byte_size = 0;
};

/// Uploads a file so that what has arrived need not be sent again:
///
///   asking --how much is there--> sending the rest --the version--> done
///      ^                              |
///      +---- pause, when it broke ----+
///
/// Ends with a failure when nothing has moved for the session's patience, or the server says no.
class model_upload {
public:
  model_upload(session& with, upload_wish wish) : with_(with), wish_(std::move(wish)) {
  }

  /// The version's entry. `sent` is told of the bytes that are there, and of all of them.
  outcome<json> run(const http_client::progress& sent);

private:
  using answer = tl::expected<http_answer, no_answer>;

  answer ask();
  answer send_rest(const http_client::progress& sent);
  /// Whether a later try may end otherwise.
  static bool is_passing(const answer& came);
  /// Waits before the next try; false when the patience is over.
  bool pause_after(const answer& came);
  outcome<json> end_with(const answer& came);

  session& with_;
  upload_wish wish_;
  /// What the server has.
  std::uint64_t received_ = 0;
  std::optional<back_off> pauses_;
};

}  // namespace dim::tools
