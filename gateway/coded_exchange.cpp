#include "gateway/coded_exchange.hpp"

#include <atomic>

#include "gateway/content_coding.hpp"
#include "gateway/http_status.hpp"

namespace dim::gateway {

namespace {

/// An exchange whose request has been decompressed, and whose answer will be compressed.
class coded_exchange : public exchange {
public:
  coded_exchange(exchange_ptr inner, http_request request, content_coding answer_coding)
    : inner_(std::move(inner)), request_(std::move(request)), answer_coding_(answer_coding) {
  }

  const http_request& request() const override {
    return request_;
  }
  void reply(http_reply answer) override {
    if (replied_.test_and_set())
      return;
    if (answer.status >= 400 || answer_coding_ == content_coding::identity)
      return inner_->reply(std::move(answer));
    // Whoever has the answer has other things to do than to compress it.
    inner_->post([inner = inner_, coding = answer_coding_, answer = std::move(answer)]() mutable {
      encode_reply(coding, answer);
      inner->reply(std::move(answer));
    });
  }
  void post(std::function<void()> task) override {
    inner_->post(std::move(task));
  }
  void watch(std::function<void()> gone) override {
    inner_->watch(std::move(gone));
  }
  void read_block(block_callback done) override {
    inner_->read_block(std::move(done));
  }

private:
  exchange_ptr inner_;
  http_request request_;
  content_coding answer_coding_;
  std::atomic_flag replied_;
};

void serve_coded(const request_handler& handle, exchange_ptr exchange,
                 std::uint64_t body_bytes_max) {
  auto& request = exchange->request();
  auto coding = coding_named(request.header("content-encoding"));
  if (!coding) {
    auto refusal = failure_reply(
      {runtime::error_code::unsupported, "the only content codings are gzip and deflate", {}}, 501);
    refusal.headers.emplace_back("Accept-Encoding", "gzip, deflate");
    exchange->reply(std::move(refusal));
    return;
  }
  auto answer_coding = preferred_coding(request.header("accept-encoding"));
  auto decoded = request;
  if (*coding != content_coding::identity) {
    auto body = decode_body(*coding, request.body.view(), body_bytes_max);
    if (!body) {
      exchange->reply(failure_reply(body.error()));
      return;
    }
    decoded.body = std::move(*body);
  }
  handle(std::make_shared<coded_exchange>(std::move(exchange), std::move(decoded), answer_coding));
}

}  // namespace

request_handler with_content_codings(request_handler handle, std::uint64_t body_bytes_max) {
  return [handle = std::move(handle), body_bytes_max](exchange_ptr exchange) {
    auto& headers = exchange->request().headers;
    if (headers.contains("content-encoding") || headers.contains("accept-encoding"))
      serve_coded(handle, std::move(exchange), body_bytes_max);
    else
      handle(std::move(exchange));
  };
}

}  // namespace dim::gateway
