#include "actors/job/dispatcher.hpp"
#include "actors/type_ids.hpp"
#include "runtime/caf_errors.hpp"

namespace dim::actors {

using runtime::error_code;

caf::result<array_view> dispatcher_state::cancel_all(const cancel_array& request) {
  auto queries = arguments.services.queries.get();
  if (!queries)
    return runtime::to_error(error_code::unavailable, "the store is starting");
  auto work = std::make_shared<array_cancellation>();
  work->promise = self->make_response_promise<array_view>();
  self->request(queries, caf::infinite, get_array{request.id})
    .then([this, work](const array_view& view) { cancel_elements(work, view); },
          [work](const caf::error& what) { work->promise.deliver(what); });
  return work->promise;
}

void dispatcher_state::cancel_elements(const std::shared_ptr<array_cancellation>& work,
                                       const array_view& view) {
  work->id = view.id;
  std::vector<job_actor> living;
  std::vector<std::string> ids;
  for (const auto& element : view.elements)
    if (const auto held = jobs.find(element.job_id); held != jobs.end()) {
      living.push_back(held->second.actor);
      ids.push_back(element.job_id);
    }
  if (living.empty()) {
    work->promise.deliver(
      runtime::to_error(error_code::conflict, "every job of the array has ended"));
    return;
  }
  work->missing = living.size();
  for (std::size_t index = 0; index < living.size(); ++index)
    // One that ends by itself meanwhile is as good as cancelled: the reply says how each stands.
    self->request(living[index], caf::infinite, cancel_job{ids[index]})
      .then([this, work](const job_status&) { note_element(work); },
            [this, work](const caf::error&) { note_element(work); });
}

void dispatcher_state::note_element(const std::shared_ptr<array_cancellation>& work) {
  if (--work->missing > 0)
    return;
  auto queries = arguments.services.queries.get();
  if (!queries) {
    work->promise.deliver(runtime::to_error(error_code::unavailable, "the store is starting"));
    return;
  }
  self->request(queries, caf::infinite, get_array{work->id})
    .then([work](array_view& view) { work->promise.deliver(std::move(view)); },
          [work](const caf::error& what) { work->promise.deliver(what); });
}

}  // namespace dim::actors
