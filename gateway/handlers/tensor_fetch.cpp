#include "gateway/handlers/tensor_fetch.hpp"

#include <algorithm>
#include <cstring>

#include "runtime/digest.hpp"

namespace dim::gateway {

namespace {

constexpr std::uint64_t chunk_bytes = 1 << 20;
constexpr std::size_t window = 4;

/// One fetch of several tensors, one after the other. Runs on the strand of its exchange.
class tensor_fetch : public std::enable_shared_from_this<tensor_fetch> {
public:
  tensor_fetch(const handler_context& context, exchange_ptr exchange,
               std::vector<models::tensor*> tensors,
               std::function<void(std::optional<runtime::failure>)> done)
    : context_(context),
      exchange_(std::move(exchange)),
      tensors_(std::move(tensors)),
      done_(std::move(done)) {
  }

  /// Starts the next tensor, or ends the fetch after the last one.
  void next_tensor() {
    if (index_ == tensors_.size()) {
      end(std::nullopt);
      return;
    }
    buffer_.resize(tensors_[index_]->byte_size);
    asked_ = 0;
    received_ = 0;
    ask();
  }

private:
  void ask() {
    auto& tensor = *tensors_[index_];
    while (asked_ < tensor.byte_size && in_flight_ < window) {
      auto length = std::min(chunk_bytes, tensor.byte_size - asked_);
      auto offset = asked_;
      asked_ += length;
      ++in_flight_;
      context_.bridge.ask<actors::chunk>(
        exchange_, actors::fetch_chunk{tensor.digest, offset, static_cast<std::uint32_t>(length)},
        context_.request_timeout,
        [self = shared_from_this(), offset, length](runtime::expected<actors::chunk> chunk) {
          self->on_chunk(offset, length, std::move(chunk));
        });
    }
  }

  void on_chunk(std::uint64_t offset, std::uint64_t length,
                runtime::expected<actors::chunk> chunk) {
    --in_flight_;
    if (!done_)
      return;
    if (!chunk) {
      end(chunk.error());
      return;
    }
    if (chunk->data.size() != length) {
      end(damaged());
      return;
    }
    std::memcpy(buffer_.data() + offset, chunk->data.data(), length);
    received_ += length;
    if (received_ < buffer_.size())
      ask();
    else
      finish_tensor();
  }

  void finish_tensor() {
    auto& tensor = *tensors_[index_];
    runtime::bytes data{std::move(buffer_)};
    if (runtime::sha256_hex(data.view()) != tensor.digest) {
      end(damaged());
      return;
    }
    tensor.data = std::move(data);
    ++index_;
    next_tensor();
  }

  runtime::failure damaged() const {
    return {runtime::error_code::store_corrupt,
            "the stored bytes of tensor " + tensors_[index_]->name + " are damaged",
            {}};
  }

  void end(std::optional<runtime::failure> problem) {
    auto done = std::move(done_);
    done_ = nullptr;
    done(std::move(problem));
  }

  const handler_context& context_;
  exchange_ptr exchange_;
  std::vector<models::tensor*> tensors_;
  std::function<void(std::optional<runtime::failure>)> done_;
  std::size_t index_ = 0;
  std::vector<char> buffer_;
  std::uint64_t asked_ = 0;
  std::uint64_t received_ = 0;
  std::size_t in_flight_ = 0;
};

}  // namespace

void fetch_tensors(const handler_context& context, const exchange_ptr& exchange,
                   std::vector<models::tensor*> tensors,
                   std::function<void(std::optional<runtime::failure>)> done) {
  std::make_shared<tensor_fetch>(context, exchange, std::move(tensors), std::move(done))
    ->next_tensor();
}

}  // namespace dim::gateway
