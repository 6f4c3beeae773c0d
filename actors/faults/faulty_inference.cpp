#include "actors/faults/faulty_inference.hpp"

#include <chrono>
#include <cstring>
#include <utility>

#include "actors/type_ids.hpp"
#include "runtime/caf_errors.hpp"

namespace dim::actors {

namespace {

/// Puts -x - 1 in the place of every x: far from it, and of the other sign.
template <class Number>
void change_numbers(std::vector<char>& data) {
  for (std::size_t at = 0; at + sizeof(Number) <= data.size(); at += sizeof(Number)) {
    Number value{};
    std::memcpy(&value, data.data() + at, sizeof value);
    value = -value - Number{1};
    std::memcpy(data.data() + at, &value, sizeof value);
  }
}

/// Flips `bit` in the byte at `offset` of every element of `size` bytes.
void flip_bits(std::vector<char>& data, std::size_t size, std::size_t offset, char bit) {
  for (std::size_t at = offset; at < data.size(); at += size)
    data[at] = static_cast<char>(data[at] ^ bit);
}

void change_tensor(models::datatype type, std::vector<char>& data) {
  switch (type) {
    case models::datatype::fp32:
      return change_numbers<float>(data);
    case models::datatype::fp64:
      return change_numbers<double>(data);
    case models::datatype::fp16:
    case models::datatype::bf16:
      return flip_bits(data, 2, 1, static_cast<char>(0x80));
    case models::datatype::bytes:
      // The lengths must stay as they are: the last byte is of a text, where there is one.
      if (data.size() > 4)
        data.back() = static_cast<char>(data.back() ^ 0x01);
      return;
    default:
      return flip_bits(data, models::size_of(type), 0, 0x01);
  }
}

}  // namespace

models::tensor_list with_wrong_numbers(models::tensor_list outputs) {
  for (auto& each : outputs) {
    if (each.data.empty())
      continue;
    auto data = each.data.vector();
    change_tensor(each.type, data);
    each = models::make_tensor(each.name, each.type, each.shape, std::move(data));
  }
  return outputs;
}

caf::result<batch_result> faulty_inference_state::run(run_batch& order) {
  const auto fault = board->decide_forward(model, runtime::clock_ns(self->home_system()));
  if (fault.is_out_of_memory)
    return runtime::to_error(runtime::error_code::memory_limit, "no memory is left (injected)");
  auto promise = self->make_response_promise<batch_result>();
  self->request(behind, caf::infinite, std::move(order))
    .then([this, promise, fault](batch_result& result) {
        finish(promise, fault, std::move(result));
      },
          [promise](caf::error& problem) mutable { promise.deliver(std::move(problem)); });
  return promise;
}

void faulty_inference_state::finish(promise_type promise, const forward_fault& fault,
                                    batch_result result) {
  if (fault.is_wrong)
    for (auto& outputs : result.outputs)
      outputs = with_wrong_numbers(std::move(outputs));
  if (fault.factor <= 1.0) {
    promise.deliver(std::move(result));
    return;
  }
  // What is left of the longer forward passes without one.
  const auto forward_ns = static_cast<double>(result.forward_us) * 1'000.0;
  const auto rest_ns = static_cast<std::int64_t>(forward_ns * (fault.factor - 1.0));
  const auto now_ns = runtime::clock_ns(self->home_system());
  result.forward_us =
    static_cast<std::uint64_t>(static_cast<double>(result.forward_us) * fault.factor);
  waiting.emplace(now_ns + rest_ns, std::pair{std::move(promise), std::move(result)});
  self->delayed_send(self, std::chrono::nanoseconds{rest_ns}, caf::tick_atom_v);
}

void faulty_inference_state::deliver_due() {
  const auto now_ns = runtime::clock_ns(self->home_system());
  while (!waiting.empty() && waiting.begin()->first <= now_ns) {
    auto [promise, result] = std::move(waiting.begin()->second);
    waiting.erase(waiting.begin());
    promise.deliver(std::move(result));
  }
}

std::string faulty_inference_state::describe() const {
  return model + ", held back " + std::to_string(waiting.size());
}

faulty_inference_actor::behavior_type faulty_inference(faulty_inference_state::self_pointer self,
                                                       inference_actor behind, std::string label,
                                                       std::shared_ptr<fault_board> board) {
  auto& state = self->state;
  state.behind = std::move(behind);
  state.model = label.substr(0, label.find(':'));
  state.board = std::move(board);
  self->monitor(state.behind);
  self->set_down_handler([self](caf::down_msg&) { self->quit(); });
  return {
    [self, &state](load_model& order) -> caf::result<model_loaded> {
      return self->delegate(state.behind, std::move(order));
    },
    [&state](run_batch& order) { return state.run(order); },
    [&state](caf::tick_atom) { state.deliver_due(); },
  };
}

inference_decorator make_inference_decorator(std::shared_ptr<fault_board> board) {
  if (!board)
    return {};
  return [board](caf::local_actor& host, const std::string& label,
                 const inference_actor& behind) -> inference_actor {
    return host.spawn<caf::linked>(faulty_inference, behind, label, board);
  };
}

}  // namespace dim::actors
