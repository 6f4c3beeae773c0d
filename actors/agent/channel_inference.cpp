#include "actors/agent/channel_inference.hpp"

#include <utility>
#include <variant>

#include "actors/type_ids.hpp"
#include "runtime/caf_errors.hpp"

namespace dim::actors {

namespace {

template <class Result>
inference_reply to_reply(runtime::expected<Result> done) {
  if (!done)
    return std::move(done.error());
  return std::move(*done);
}

}  // namespace

void channel_inference_state::begin(std::shared_ptr<runtime::shared_channel> channel,
                                    broken_function on_broken) {
  tell_broken = std::move(on_broken);
  auto tell = [me = channel_actor{self}] { runtime::send_from_thread(me, channel_rung{}); };
  runtime::listener_thread thread;
  // The node's threads, which have the next batch, may be waiting for this core.
  thread.looks_under_load = false;
  // An answer goes out before the next batch is computed.
  thread.writes_first = true;
  end.emplace(self->home_system(), std::move(channel), std::move(tell), std::move(thread));
}

void channel_inference_state::look() {
  end->hear();
  while (end->is_done()) {
    auto frame = end->next();
    if (!frame)
      return tell_broken(frame.error());
    if (!*frame)
      return;
    auto number = (*frame)->number;
    auto question = question_of(self->home_system(), std::move(**frame));
    if (!question)
      return tell_broken(question.error());
    end->send(to_frame(self->home_system(), number, answer_to(*question)));
  }
}

inference_reply channel_inference_state::answer_to(const inference_question& question) {
  if (auto* order = std::get_if<load_model>(&question))
    return to_reply(work.load(*order));
  auto& order = std::get<run_batch>(question);
  // Batches without digests are of direct inferences alone.
  if (!order.digests)
    runtime::context_of(self->home_system()).traffic.note(work.rows_of(order));
  return to_reply(work.run(order));
}

channel_actor::behavior_type channel_inference(channel_inference_state::self_pointer self,
                                               std::shared_ptr<runtime::shared_channel> channel,
                                               channel_inference_state::broken_function on_broken) {
  auto& state = self->state;
  state.begin(std::move(channel), std::move(on_broken));
  auto not_here = [] {
    return runtime::to_error(runtime::error_code::unsupported,
                             "this INFERENCE is asked over its channel");
  };
  return {
    [not_here](const load_model&) -> caf::result<model_loaded> { return not_here(); },
    [not_here](const run_batch&) -> caf::result<batch_result> { return not_here(); },
    [&state](channel_rung) { state.look(); },
  };
}

}  // namespace dim::actors
