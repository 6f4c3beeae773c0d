#include "gateway/handlers/model_upload.hpp"

#include "gateway/handlers/resumed_upload.hpp"
#include "gateway/handlers/upload_wish.hpp"
#include "gateway/model_json.hpp"
#include "runtime/digest.hpp"

namespace dim::gateway {

namespace {

using runtime::error_code;
using runtime::failure;

///   reading block --> sending block --> ... --> finishing --> answered
///         |                |                        |
///         +----------------+--- abandoned ----------+
///
/// Runs on the strand of its exchange, and lives as long as a step of it is on the way.
class model_upload : public std::enable_shared_from_this<model_upload> {
public:
  model_upload(const handler_context& context, exchange_ptr exchange,
               std::shared_ptr<void> slot, actors::finish_upload wish)
    : context_(context),
      exchange_(std::move(exchange)),
      slot_(std::move(slot)),
      wish_(std::move(wish)) {
    wish_.upload_id = random_upload_id();
  }

  void read_block() {
    exchange_->read_block([self = shared_from_this()](runtime::expected<runtime::bytes> block) {
      if (!block)
        self->abandon(block.error());
      else if (block->empty())
        self->finish();
      else
        self->send_block(std::move(*block));
    });
  }

private:
  void send_block(runtime::bytes block) {
    hasher_.update(block.view());
    actors::upload_block message{wish_.upload_id, wish_.byte_size, block};
    wish_.byte_size += block.size();
    context_.bridge.ask<actors::upload_progress>(
      exchange_, std::move(message), context_.request_timeout,
      [self = shared_from_this()](runtime::expected<actors::upload_progress> progress) {
        if (progress)
          self->read_block();
        else
          self->abandon(progress.error());
      });
  }

  void finish() {
    if (wish_.byte_size == 0) {
      exchange_->reply(
        failure_reply({error_code::bad_input, "expected the model file, got nothing", {}}));
      return;
    }
    auto digest = hasher_.finish();
    if (wish_.digest.empty())
      wish_.digest = std::move(digest);
    wish_.time_left_ms = static_cast<std::uint64_t>(context_.upload_timeout.count());
    context_.bridge.ask<actors::model_entry>(
      exchange_, wish_, context_.upload_timeout + start_grace,
      [self = shared_from_this()](runtime::expected<actors::model_entry> entry) {
        if (entry)
          self->exchange_->reply(render_uploaded(*entry, 201));
        else
          self->abandon(entry.error());
      });
  }

  void abandon(const failure& why) {
    context_.bridge.tell(actors::abandon_upload{wish_.upload_id});
    exchange_->reply(failure_reply(why));
  }

  const handler_context& context_;
  exchange_ptr exchange_;
  std::shared_ptr<void> slot_;
  actors::finish_upload wish_;
  runtime::sha256_hasher hasher_;
};

}  // namespace

void start_model_upload(const handler_context& context, const exchange_ptr& exchange,
                        const std::shared_ptr<upload_slots>& slots) {
  auto wish = read_upload_wish(exchange->request());
  if (!wish) {
    exchange->reply(failure_reply(wish.error()));
    return;
  }
  if (!slots->take()) {
    exchange->reply(
      failure_reply({error_code::overloaded, "too many models are uploaded at once", {}}));
    return;
  }
  std::shared_ptr<void> slot{nullptr, [slots](void*) { slots->give_back(); }};
  if (wish->range)
    start_resumed_upload(context, exchange, std::move(*wish), std::move(slot));
  else
    std::make_shared<model_upload>(context, exchange, std::move(slot), std::move(wish->message))
      ->read_block();
}

}  // namespace dim::gateway
