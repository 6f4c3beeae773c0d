#include "gateway/handlers/model_upload.hpp"

#include <algorithm>

#include "gateway/base64.hpp"
#include "gateway/model_json.hpp"
#include "gateway/query_reader.hpp"
#include "models/model_spec.hpp"
#include "runtime/digest.hpp"
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

/// What the request says of the model, as the message that will end the upload. Its digest is empty
/// where the client sent none.
runtime::expected<actors::finish_upload> read_wish(const http_request& request) {
  query_reader query{request};
  actors::finish_upload wish;
  auto is_in_path = !request.parameter("name").empty();
  wish.name = is_in_path ? std::string{request.parameter("name")} : query.text("name");
  wish.version = is_in_path ? std::string{request.parameter("version")} : query.text("version");
  if (!models::is_model_name(wish.name))
    query.refuse(
      "name", "expected 1 to 128 letters, digits, '.', '_' and '-', got " + in_quotes(wish.name));
  if (!wish.version.empty() && !models::is_version(wish.version))
    query.refuse("version", "expected a whole number from 1, got " + in_quotes(wish.version));
  auto config = from_base64(request.header("x-dim-model-config"));
  if (!config || config->empty())
    query.refuse("X-Dim-Model-Config", "expected the model's config.toml in base64");
  else
    wish.config_toml = std::move(*config);
  auto header = request.header("digest");
  wish.digest = digest_from(header);
  if (!header.empty() && wish.digest.empty())
    query.refuse("Digest", "expected sha-256=<base64>");
  if (request.content_length == std::uint64_t{0})
    query.refuse("body", "expected the model file, got nothing");
  if (auto checked = query.finish(); !checked)
    return tl::unexpected<failure>(
      {error_code::bad_input, "the upload has problems", std::move(checked.error().details)});
  return wish;
}

std::string random_id() {
  runtime::random_source random{runtime::seed_from_system()};
  std::uint64_t words[] = {random.next(), random.next()};
  return to_hex({reinterpret_cast<const char*>(words), sizeof words});
}

///   reading block --> sending block --> ... --> finishing --> answered
///         |                |                        |
///         +----------------+--- abandoned ----------+
///
/// Runs on the strand of its exchange, and lives as long as a step of it is on the way.
class model_upload : public std::enable_shared_from_this<model_upload> {
public:
  model_upload(const handler_context& context, exchange_ptr exchange,
               std::shared_ptr<upload_slots> slots, actors::finish_upload wish)
    : context_(context),
      exchange_(std::move(exchange)),
      slots_(std::move(slots)),
      wish_(std::move(wish)) {
    wish_.upload_id = random_id();
  }
  ~model_upload() {
    slots_->give_back();
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
    context_.bridge.ask<actors::model_entry>(
      exchange_, wish_, context_.upload_timeout,
      [self = shared_from_this()](runtime::expected<actors::model_entry> entry) {
        if (entry)
          self->answer(*entry);
        else
          self->abandon(entry.error());
      });
  }

  void answer(const actors::model_entry& entry) {
    json_writer out;
    write_model(out, entry);
    auto reply = json_reply(out.take(), 201);
    reply.headers.emplace_back("Location",
                               "/api/v1/models/" + entry.name + "/versions/" + entry.version);
    exchange_->reply(std::move(reply));
  }

  void abandon(const failure& why) {
    context_.bridge.tell(actors::abandon_upload{wish_.upload_id});
    exchange_->reply(failure_reply(why));
  }

  const handler_context& context_;
  exchange_ptr exchange_;
  std::shared_ptr<upload_slots> slots_;
  actors::finish_upload wish_;
  runtime::sha256_hasher hasher_;
};

}  // namespace

void start_model_upload(const handler_context& context, const exchange_ptr& exchange,
                        const std::shared_ptr<upload_slots>& slots) {
  auto wish = read_wish(exchange->request());
  if (!wish) {
    exchange->reply(failure_reply(wish.error()));
    return;
  }
  if (!slots->take()) {
    exchange->reply(
      failure_reply({error_code::overloaded, "too many models are uploaded at once", {}}));
    return;
  }
  std::make_shared<model_upload>(context, exchange, slots, std::move(*wish))->read_block();
}

}  // namespace dim::gateway
