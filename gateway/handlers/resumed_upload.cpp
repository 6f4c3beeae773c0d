#include "gateway/handlers/resumed_upload.hpp"

#include <string>

#include "gateway/model_json.hpp"
#include "runtime/digest.hpp"

namespace dim::gateway {

namespace {

using runtime::error_code;
using runtime::failure;

/// The same for all that send the same file as the same version.
std::string upload_id_of(const actors::finish_upload& wish) {
  return runtime::sha256_hex(wish.name + "\n" + wish.version + "\n" + wish.digest + "\n"
                             + std::to_string(wish.byte_size));
}

///   resuming --> reading block --> sending block --> ... --> pausing ----> answered 202
///      |              |                 |             +----> finishing --> answered 201
///      +--------------+-----------------+--> answered; what has come stays
///
/// Runs on the strand of its exchange, and lives as long as a step of it is on the way.
class resumed_upload : public std::enable_shared_from_this<resumed_upload> {
public:
  resumed_upload(const handler_context& context, exchange_ptr exchange, upload_wish wish,
                 std::shared_ptr<void> slot)
    : context_(context),
      exchange_(std::move(exchange)),
      slot_(std::move(slot)),
      range_(*wish.range),
      wish_(std::move(wish.message)) {
    wish_.upload_id = upload_id_of(wish_);
    // A question that can not end the upload must not take it over either.
    if (!wish_.config_toml.empty())
      wish_.writer = random_upload_id();
  }

  void resume() {
    ask<actors::upload_progress>(
      actors::resume_upload{wish_, range_.first}, context_.request_timeout,
      [](resumed_upload& self, const actors::upload_progress& progress) {
        self.begin(progress);
      });
  }

private:
  /// Asks MODELS; a failure is answered, and what has come stays.
  template <class Reply, class Message, class Handle>
  void ask(Message message, std::chrono::milliseconds deadline, Handle handle) {
    context_.bridge.ask<Reply>(
      exchange_, std::move(message), deadline,
      [self = shared_from_this(), handle](runtime::expected<Reply> reply) {
        if (reply)
          handle(*self, *reply);
        else
          self->refuse(reply.error());
      });
  }

  void refuse(const failure& why) {
    auto reply = failure_reply(why);
    // Another request has taken the upload over: asking how far it is may help.
    if (why.code == error_code::cancelled)
      reply.headers.emplace_back("Retry-After", "1");
    exchange_->reply(std::move(reply));
  }

  void begin(const actors::upload_progress& progress) {
    received_ = progress.received;
    if (progress.is_entered)
      answer_entered();
    else if (received_ != range_.first)
      answer_elsewhere();
    else if (!range_.is_question())
      read_block();
    else if (wish_.writer.empty())
      answer_progress();
    else
      finish();
  }

  void read_block() {
    exchange_->read_block([self = shared_from_this()](runtime::expected<runtime::bytes> block) {
      if (!block)
        self->exchange_->reply(failure_reply(block.error()));
      else if (block->size() > self->end_of_part() - self->received_)
        self->refuse_length();
      else if (!block->empty())
        self->send_block(std::move(*block));
      else if (self->received_ < self->end_of_part())
        self->refuse_length();
      else if (self->received_ == self->range_.total)
        self->finish();
      else
        self->pause();
    });
  }

  void send_block(runtime::bytes block) {
    actors::upload_block message{wish_.upload_id, received_, std::move(block), wish_.writer};
    ask<actors::upload_progress>(
      std::move(message), context_.request_timeout,
      [](resumed_upload& self, const actors::upload_progress& progress) {
        self.received_ = progress.received;
        self.read_block();
      });
  }

  void pause() {
    ask<actors::upload_progress>(
      actors::pause_upload{wish_.upload_id, wish_.writer}, context_.request_timeout,
      [](resumed_upload& self, const actors::upload_progress& progress) {
        self.received_ = progress.received;
        self.answer_progress();
      });
  }

  void finish() {
    wish_.time_left_ms = static_cast<std::uint64_t>(context_.upload_timeout.count());
    ask<actors::model_entry>(wish_, context_.upload_timeout + start_grace,
                             [](resumed_upload& self, const actors::model_entry& entry) {
                               self.exchange_->reply(render_uploaded(entry, 201));
                             });
  }

  void answer_entered() {
    ask<actors::model_entry>(actors::find_model{wish_.name, wish_.version},
                             context_.request_timeout,
                             [](resumed_upload& self, const actors::model_entry& entry) {
                               self.exchange_->reply(render_uploaded(entry, 200));
                             });
  }

  /// The part, or the end that a question supposes, is not where the upload stands.
  void answer_elsewhere() {
    if (range_.is_question()) {
      answer_progress();
      return;
    }
    auto reply = failure_reply({error_code::conflict,
                                "expected a part that begins at " + std::to_string(received_)
                                  + ", got one at " + std::to_string(range_.first),
                                {}});
    reply.headers.emplace_back("Retry-After", "1");
    add_range(reply);
    exchange_->reply(std::move(reply));
  }

  void answer_progress() {
    json_writer out;
    out.begin_object();
    out.member("name", wish_.name);
    out.text_or_null("version", wish_.version);
    out.member("digest", wish_.digest);
    out.member("byte_size", wish_.byte_size);
    out.member("received", received_);
    out.end_object();
    auto reply = json_reply(out.take(), 202);
    add_range(reply);
    exchange_->reply(std::move(reply));
  }

  void refuse_length() {
    exchange_->reply(
      failure_reply({error_code::bad_input,
                     "body: expected " + std::to_string(range_.length)
                       + " bytes as Content-Range says, got another number",
                     {}}));
  }

  void add_range(http_reply& reply) const {
    if (received_ > 0)
      reply.headers.emplace_back("Range", "bytes=0-" + std::to_string(received_ - 1));
  }

  std::uint64_t end_of_part() const {
    return range_.first + range_.length;
  }

  const handler_context& context_;
  exchange_ptr exchange_;
  std::shared_ptr<void> slot_;
  content_range range_;
  actors::finish_upload wish_;
  /// Of the whole file, from its beginning.
  std::uint64_t received_ = 0;
};

}  // namespace

void start_resumed_upload(const handler_context& context, const exchange_ptr& exchange,
                          upload_wish wish, std::shared_ptr<void> slot) {
  std::make_shared<resumed_upload>(context, exchange, std::move(wish), std::move(slot))->resume();
}

http_reply render_uploaded(const actors::model_entry& entry, unsigned status) {
  json_writer out;
  write_model(out, entry);
  auto reply = json_reply(out.take(), status);
  reply.headers.emplace_back("Location",
                             "/api/v1/models/" + entry.name + "/versions/" + entry.version);
  return reply;
}

}  // namespace dim::gateway
