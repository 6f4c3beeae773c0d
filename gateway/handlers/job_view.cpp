#include "gateway/handlers/job_view.hpp"

#include "gateway/handlers/tensor_fetch.hpp"

namespace dim::gateway {

namespace {

using view_callback = std::function<void(runtime::expected<actors::job_view>)>;

/// The tensors of a result whose bytes are to be fetched, as many as `bytes_max` allows.
std::vector<models::tensor*> detached_tensors(actors::job_result& result, std::uint64_t bytes_max) {
  std::vector<models::tensor*> found;
  auto take = [&](models::tensor_list& tensors) {
    for (auto& each : tensors) {
      if (!each.is_detached() || each.byte_size > bytes_max)
        continue;
      bytes_max -= each.byte_size;
      found.push_back(&each);
    }
  };
  take(result.outputs);
  for (auto& each : result.participants)
    take(each.outputs);
  return found;
}

void attach(const handler_context& context, const exchange_ptr& exchange, actors::job_view view,
            const view_callback& done) {
  auto kept = std::make_shared<actors::job_view>(std::move(view));
  auto wanted = detached_tensors(kept->result, context.result_bytes_max);
  fetch_tensors(context, exchange, std::move(wanted),
                [kept, done](std::optional<runtime::failure> problem) {
                  if (problem)
                    done(tl::unexpected<runtime::failure>(std::move(*problem)));
                  else
                    done(std::move(*kept));
                });
}

/// Reads the job once, without waiting, by its full id or a prefix.
void read_once(const handler_context& context, const exchange_ptr& exchange, std::string id,
               view_callback done) {
  context.bridge.ask<actors::job_view>(exchange, actors::get_job{std::move(id)},
                                       context.request_timeout, std::move(done));
}

}  // namespace

void load_job_view(const handler_context& context, const exchange_ptr& exchange, std::string id,
                   std::uint32_t wait_ms, view_callback done) {
  auto finish = [&context, exchange, done](runtime::expected<actors::job_view> view) {
    if (view)
      attach(context, exchange, std::move(*view), done);
    else
      done(std::move(view));
  };
  if (wait_ms == 0) {
    read_once(context, exchange, std::move(id), finish);
    return;
  }
  auto wait = [&context, exchange, wait_ms, finish](runtime::expected<actors::job_view> view) {
    if (!view || actors::is_terminal(view->record.state)) {
      finish(std::move(view));
      return;
    }
    auto full_id = view->record.id;
    context.bridge.ask<actors::job_status>(
      exchange, actors::await_job{full_id, wait_ms},
      context.request_timeout + std::chrono::milliseconds{wait_ms},
      [&context, exchange, full_id, finish](runtime::expected<actors::job_status>) {
        read_once(context, exchange, full_id, finish);
      });
  };
  read_once(context, exchange, std::move(id), wait);
}

}  // namespace dim::gateway
