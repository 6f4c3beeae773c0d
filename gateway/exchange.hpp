#pragma once

#include <functional>
#include <memory>

#include "gateway/http_message.hpp"
#include "runtime/errors.hpp"

namespace dim::gateway {

/// One request on its way to its reply: all that a handler has to do with the connection.
///
/// A handler is called by the thread of the connection's event loop, a quick one under load by any
/// thread. It must not block, and keeps the pointer until it has replied. `reply` and `post` may be
/// called from any thread; a short answer is written by the thread that gives it. A handler that
/// lets go of the pointer without a reply answers 500.
class exchange {
public:
  virtual ~exchange() = default;

  virtual const http_request& request() const = 0;

  /// Sends the answer. Only the first call counts. Not while a block of the body is awaited.
  virtual void reply(http_reply answer) = 0;

  /// Runs `task` on the thread of the connection's event loop.
  virtual void post(std::function<void()> task) = 0;

  /// Calls `gone` once, on the thread of the connection's event loop, when the client closes the
  /// connection before it has its answer, which is noticed within a fraction of a second. A reply
  /// is still due then. From any thread, before the reply.
  virtual void watch(std::function<void()> gone) = 0;

  /// The body's next block, 1 byte to 1 MiB; empty at its end. Nothing more is read from the
  /// connection until the next call: that is the back-pressure. Only for a route that streams its
  /// body, one call at a time; `done` comes on the thread of the event loop. Failures: `bad_input`
  /// (the body broke off).
  using block_callback = std::function<void(runtime::expected<runtime::bytes>)>;
  virtual void read_block(block_callback done) = 0;
};

using exchange_ptr = std::shared_ptr<exchange>;

}  // namespace dim::gateway
