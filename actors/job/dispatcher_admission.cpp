#include "actors/job/admission.hpp"
#include "actors/job/dispatcher.hpp"
#include "actors/job/job_phase.hpp"
#include "actors/type_ids.hpp"
#include "runtime/caf_errors.hpp"

namespace dim::actors {

using runtime::error_code;

caf::result<submit_result> dispatcher_state::admit(submit_job& request) {
  if (!is_loaded)
    return runtime::to_error(error_code::unavailable, "stored jobs are still being loaded");
  const std::size_t more = std::max<std::size_t>(request.array.size(), 1);
  if (jobs.size() + under_way + more > arguments.options.pending_jobs_max)
    return runtime::to_error(error_code::overloaded,
                             "the limit of " + std::to_string(arguments.options.pending_jobs_max)
                               + " pending jobs is reached");
  auto work = std::make_shared<admission>();
  work->request = std::move(request);
  work->promise = self->make_response_promise<submit_result>();
  under_way += work->job_count();
  find_models(work);
  return work->promise;
}

void dispatcher_state::find_models(const admission_pointer& work) {
  auto models = arguments.services.models.get();
  auto& steps = work->request.spec.steps;
  if (!models)
    return refuse(work, runtime::to_error(error_code::unavailable, "the catalogue is starting"));
  work->entries.resize(steps.size());
  work->missing = steps.size();
  for (std::size_t index = 0; index < steps.size(); ++index)
    self->request(models, caf::infinite, find_model{steps[index].model, steps[index].version})
      .then(
        [this, work, index](model_entry& entry) {
          work->entries[index] = std::move(entry);
          if (--work->missing == 0 && !work->is_refused)
            store_jobs(work);
        },
        [this, work](const caf::error& what) { refuse(work, what); });
}

void dispatcher_state::refuse(const admission_pointer& work, const caf::error& why) {
  if (std::exchange(work->is_refused, true))
    return;
  under_way -= work->job_count();
  work->promise.deliver(why);
}

std::vector<job_record> dispatcher_state::make_records(admission& work) {
  auto& request = work.request;
  const auto now = runtime::wall_ms(self->home_system());
  job_record record;
  record.submitted_at = now;
  record.spec = std::move(request.spec);
  if (!request.array.empty())
    record.array_id = ids->next(now);
  std::vector<job_record> records(work.job_count(), record);
  for (std::size_t index = 0; index < records.size(); ++index) {
    records[index].id = ids->next(now);
    if (request.array.empty())
      continue;
    records[index].array_index = static_cast<std::uint32_t>(index);
    records[index].spec.inputs = request.array[index];
  }
  return records;
}

void dispatcher_state::store_jobs(const admission_pointer& work) {
  auto& request = work->request;
  auto problems = request.array.empty()
                    ? complete_spec(request.spec, work->entries)
                    : complete_array(request.spec, request.array, work->entries);
  if (!problems.empty())
    return refuse(work, runtime::to_error(error_code::bad_input, "the job does not fit its models",
                                          std::move(problems)));
  auto store = arguments.services.store.get();
  if (!store)
    return refuse(work, runtime::to_error(error_code::unavailable, "the store is starting"));
  auto records = std::make_shared<std::vector<job_record>>(make_records(*work));
  commit_changes commit;
  commit.term = self->id();
  const auto& first = records->front();
  if (!request.idempotency_key.empty())
    commit.changes.push_back(
      change_for_idempotency(request.idempotency_key, {first.id, request.body_digest,
                                                       first.submitted_at, first.array_id}));
  for (auto& record : *records) {
    detach_large(record.spec.inputs, commit.blobs);
    append_changes_for_new_job(record, commit);
    event news;
    news.topic = topic_jobs;
    news.kind = event_kind_of(job_state::pending);
    news.job_id = record.id;
    news.at = record.submitted_at;
    commit.events.push_back(std::move(news));
  }
  self->request(store, caf::infinite, std::move(commit))
    .then(
      [this, work, records](const commit_result& result) { note_stored(work, *records, result); },
      [this, work](const caf::error& what) { refuse(work, what); });
}

void dispatcher_state::note_stored(const admission_pointer& work, std::vector<job_record>& records,
                                   const commit_result& result) {
  if (!result.applied) {
    auto known = decode_idempotency(result.existing);
    if (!known)
      return refuse(work, runtime::to_error(known.error()));
    if (known->body_digest != work->request.body_digest)
      return refuse(work, runtime::to_error(error_code::conflict,
                                            "this idempotency key was used for another request"));
    return answer_with_known(work, *known);
  }
  under_way -= work->job_count();
  submit_result made{records.front().id, job_state::pending, false, records.front().array_id, {}};
  if (!made.array_id.empty())
    for (const auto& record : records)
      made.job_ids.push_back(record.id);
  work->promise.deliver(std::move(made));
  for (auto& record : records) {
    job_arguments begun;
    begun.record = std::move(record);
    hold(std::move(begun));
  }
}

void dispatcher_state::answer_with_known(const admission_pointer& work,
                                         const idempotency_record& known) {
  auto queries = arguments.services.queries.get();
  if (!queries)
    return refuse(work, runtime::to_error(error_code::unavailable, "the store is starting"));
  const auto refused = [this, work](const caf::error& what) { refuse(work, what); };
  const auto deliver = [this, work](submit_result made) {
    under_way -= work->job_count();
    work->promise.deliver(std::move(made));
  };
  if (known.array_id.empty())
    self->request(queries, caf::infinite, get_job{known.job_id})
      .then([deliver](const job_view& view) {
        deliver({view.record.id, view.record.state, true});
      }, refused);
  else
    self->request(queries, caf::infinite, get_array{known.array_id})
      .then([deliver](const array_view& view) {
        submit_result made{view.elements.front().job_id, view.elements.front().state, true,
                           view.id, {}};
        for (const auto& element : view.elements)
          made.job_ids.push_back(element.job_id);
        deliver(std::move(made));
      }, refused);
}

}  // namespace dim::actors
