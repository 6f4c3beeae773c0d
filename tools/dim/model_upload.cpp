#include "tools/dim/model_upload.hpp"

#include <algorithm>

#include "tools/dim/display_text.hpp"

namespace dim::tools {

namespace {

constexpr unsigned accepted = 202;
constexpr unsigned conflict = 409;
constexpr unsigned service_unavailable = 503;

}  // namespace

outcome<json> model_upload::run(const http_client::progress& sent) {
  for (;;) {
    auto came = ask();
    if (came && came->status == accepted && received_ < wish_.byte_size)
      came = send_rest(sent);
    if (!is_passing(came) || !pause_after(came))
      return end_with(came);
  }
}

model_upload::answer model_upload::ask() {
  auto request = wish_.request;
  request.headers.emplace_back("Content-Range", "bytes */" + std::to_string(wish_.byte_size));
  const auto came = with_.ask(request);
  if (!came || came->status != accepted)
    return came;
  const auto content = with_.read(*came);
  const auto told = content ? number_at(*content, "received") : 0;
  const auto received = static_cast<std::uint64_t>(std::max(told, decltype(told){0}));
  if (received > received_)
    pauses_.reset();
  received_ = std::min(received, wish_.byte_size);
  return came;
}

model_upload::answer model_upload::send_rest(const http_client::progress& sent) {
  auto request = wish_.request;
  request.headers.emplace_back("Content-Range", "bytes " + std::to_string(received_) + "-"
                                                  + std::to_string(wish_.byte_size - 1) + "/"
                                                  + std::to_string(wish_.byte_size));
  request.body_file = wish_.file;
  request.body_offset = received_;
  http_client::progress from_here;
  if (sent)
    from_here = [this, &sent](std::uint64_t bytes, std::uint64_t) {
      sent(received_ + bytes, wish_.byte_size);
    };
  return with_.ask(request, from_here);
}

bool model_upload::is_passing(const answer& came) {
  if (!came || came->status == accepted || came->status == service_unavailable)
    return true;
  // The upload stands elsewhere, or somebody else goes on with it; other conflicts stay.
  return came->status == conflict && came->headers.contains("retry-after");
}

bool model_upload::pause_after(const answer& came) {
  const bool is_first = !pauses_;
  if (is_first)
    pauses_.emplace(with_.io().now() + with_.patience());
  const auto pause = pauses_->next(with_.io().now(), retry_after(came));
  if (!pause)
    return false;
  if (is_first) {
    const auto why = !came                        ? came.error().message
                     : came->status == accepted   ? std::string{"not all of it has arrived"}
                                                  : with_.read(*came).error().message;
    with_.io().err << "dim: " << cleaned(why) << "; going on from what has arrived" << std::endl;
  }
  with_.io().pause(*pause);
  return true;
}

outcome<json> model_upload::end_with(const answer& came) {
  if (!came)
    return fail(exit_status::unreachable, came.error().message);
  if (came->status == accepted)
    return fail(exit_status::failed, "the server has not taken all of the file");
  return with_.read(*came);
}

}  // namespace dim::tools
