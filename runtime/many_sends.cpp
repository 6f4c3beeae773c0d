#include "runtime/many_sends.hpp"

#include <cerrno>
#include <limits>

#include <liburing.h>
#include <sys/socket.h>

namespace dim::runtime {

namespace {

constexpr int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
/// No result of a call.
constexpr auto untold = std::numeric_limits<std::int64_t>::min();

void send_alone(socket_send& order) {
  do {
    order.result = ::send(order.socket, order.data, order.size, flags);
  } while (order.result < 0 && errno == EINTR);
  if (order.result < 0)
    order.result = -errno;
}

}  // namespace

struct many_sends::ring {
  ~ring() {
    if (is_open)
      ::io_uring_queue_exit(&queue);
  }

  bool open() {
    // Completions come with the call that submits: no interrupt has to tell of them.
    is_open = ::io_uring_queue_init(group_max, &queue,
                                    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN)
                == 0
              || ::io_uring_queue_init(group_max, &queue, 0) == 0;
    return is_open;
  }

  io_uring queue{};
  bool is_open = false;
};

many_sends::many_sends() : ring_(std::make_unique<ring>()) {
  if (!ring_->open())
    ring_ = nullptr;
}

many_sends::~many_sends() = default;

void many_sends::use_single_calls() noexcept {
  ring_ = nullptr;
}

void many_sends::send(std::span<socket_send> orders) {
  while (orders.size() > group_max) {
    send_group(orders.first(group_max));
    orders = orders.subspan(group_max);
  }
  send_group(orders);
}

void many_sends::send_group(std::span<socket_send> orders) {
  unsigned count = 0;
  socket_send* only = nullptr;
  for (auto& each : orders)
    if (each.socket >= 0) {
      ++count;
      only = &each;
    }
  if (count == 0)
    return;
  if (count == 1)
    return send_alone(*only);
  if (ring_ == nullptr) {
    for (auto& each : orders)
      if (each.socket >= 0)
        send_alone(each);
    return;
  }
  send_joined(orders, count);
}

void many_sends::send_joined(std::span<socket_send> orders, unsigned count) {
  auto& queue = ring_->queue;
  for (auto& each : orders) {
    if (each.socket < 0)
      continue;
    auto* entry = ::io_uring_get_sqe(&queue);
    ::io_uring_prep_send(entry, each.socket, each.data, each.size, flags);
    ::io_uring_sqe_set_data(entry, &each);
    each.result = untold;
  }
  // None of them waits for its socket, so that this waits for nothing.
  while (::io_uring_submit_and_wait(&queue, count) == -EINTR) {
  }
  unsigned head = 0;
  unsigned done = 0;
  io_uring_cqe* told = nullptr;
  io_uring_for_each_cqe(&queue, head, told) {
    static_cast<socket_send*>(::io_uring_cqe_get_data(told))->result = told->res;
    ++done;
  }
  ::io_uring_cq_advance(&queue, done);
  if (done == count)
    return;
  // The kernel takes no more: what it has not taken goes with the queue.
  ring_ = nullptr;
  for (auto& each : orders)
    if (each.socket >= 0 && each.result == untold)
      send_alone(each);
}

}  // namespace dim::runtime
