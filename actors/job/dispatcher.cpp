#include "actors/job/dispatcher.hpp"

#include "actors/job/job_meters.hpp"
#include "actors/job/job_phase.hpp"
#include "actors/type_ids.hpp"
#include "runtime/caf_errors.hpp"
#include "runtime/log.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

constexpr auto tick = std::chrono::milliseconds{50};

}  // namespace

void dispatcher_state::initialise(self_pointer pointer, dispatcher_arguments values) {
  self = pointer;
  arguments = std::move(values);
  job_meters::shared();
  auto& system = self->home_system();
  ids = std::make_unique<runtime::id_source>(runtime::context_of(system).seed ^ self->id());
  if (!arguments.services.queries.get()) {
    is_loaded = true;
    return;
  }
  after_commits([this] {
    self->request(arguments.services.queries.get(), caf::infinite, load_unfinished{})
      .then([this](unfinished_jobs& stored) { take_unfinished(stored); },
            [this](const caf::error& what) {
              runtime::log(runtime::log_level::error, name, "could not load the unfinished jobs",
                           {{"reason", runtime::to_failure(what).message}});
              self->quit(what);
            });
  });
}

void dispatcher_state::after_commits(std::function<void()> next) {
  auto store = arguments.services.store.get();
  if (!store)
    return next();
  commit_changes nothing;
  nothing.term = self->id();
  // A store that can not write now has been through what was sent before, just as well.
  self->request(store, caf::infinite, std::move(nothing))
    .then([next](const commit_result&) { next(); }, [next](const caf::error&) { next(); });
}

void dispatcher_state::take_unfinished(unfinished_jobs& stored) {
  for (auto& one : stored.jobs) {
    job_arguments work;
    work.record = std::move(one.record);
    work.step_outputs = std::move(one.step_outputs);
    work.is_resumed = true;
    hold(std::move(work));
  }
  close_stragglers(std::move(stored.stragglers));
  is_loaded = true;
  if (!stored.jobs.empty())
    runtime::log(runtime::log_level::info, name, "took up unfinished jobs",
                 {{"count", std::to_string(stored.jobs.size())}});
}

void dispatcher_state::hold(job_arguments work) {
  work.options = arguments.options;
  work.reputation = arguments.reputation;
  work.services = arguments.services;
  work.dispatcher = dispatcher_actor{self};
  work.term = self->id();
  auto id = work.record.id;
  auto ends_at = work.record.submitted_at + static_cast<std::int64_t>(work.record.spec.timeout_ms);
  auto actor = self->spawn<caf::monitored>(job, std::move(work));
  job_of[actor.address()] = id;
  deadlines.emplace(ends_at, id);
  jobs[id] = {std::move(actor), ends_at};
}

caf::result<job_status> dispatcher_state::cancel(cancel_job& request) {
  auto found = jobs.find(request.id);
  if (found == jobs.end() && request.id.size() >= 4) {
    auto next = jobs.lower_bound(request.id);
    auto is_unique =
      next != jobs.end() && next->first.starts_with(request.id)
      && (std::next(next) == jobs.end() || !std::next(next)->first.starts_with(request.id));
    if (is_unique)
      found = next;
  }
  if (found != jobs.end())
    return self->delegate(found->second.actor, std::move(request));
  auto queries = arguments.services.queries.get();
  if (!queries)
    return runtime::to_error(error_code::unavailable, "the store is starting");
  auto promise = self->make_response_promise<job_status>();
  self->request(queries, caf::infinite, get_job{request.id})
    .then(
      [promise](const job_view& view) mutable {
        promise.deliver(runtime::to_error(
          error_code::conflict,
          "the job has ended: it is " + std::string{to_string(view.record.state)}));
      },
      [promise](const caf::error& what) mutable { promise.deliver(what); });
  return promise;
}

caf::result<job_status> dispatcher_state::await(const await_job& request) {
  auto found = jobs.find(request.id);
  if (found == jobs.end() || request.wait_ms == 0)
    return job_status{request.id, job_state::pending};
  auto promise = self->make_response_promise<job_status>();
  auto key = ++last_reader;
  auto ends_at = runtime::wall_ms(self->home_system()) + request.wait_ms;
  reader_deadlines.emplace(ends_at, key);
  readers_of.emplace(request.id, key);
  readers.emplace(key, waiting_reader{request.id, promise});
  return promise;
}

void dispatcher_state::answer_readers(const std::string& job_id, job_state state) {
  auto [first, last] = readers_of.equal_range(job_id);
  for (auto reader = first; reader != last; ++reader) {
    auto found = readers.find(reader->second);
    if (found == readers.end())
      continue;
    found->second.promise.deliver(job_status{job_id, state});
    readers.erase(found);
  }
  readers_of.erase(first, last);
}

void dispatcher_state::note_ended(const job_ended& news) {
  auto found = jobs.find(news.id);
  if (found == jobs.end())
    return;
  deadlines.erase({found->second.ends_at, news.id});
  jobs.erase(found);
  crashes.erase(news.id);
  answer_readers(news.id, news.state);
}

void dispatcher_state::note_down(const caf::down_msg& news) {
  auto found = job_of.find(news.source);
  if (found == job_of.end())
    return;
  auto id = found->second;
  job_of.erase(found);
  auto held = jobs.find(id);
  // The actor of an ended job lives on for its stragglers.
  if (held == jobs.end() && !news.reason)
    return;
  runtime::log(runtime::log_level::error, name, "saw a job's actor crash",
               {{"job_id", id}, {"reason", runtime::to_failure(news.reason).message}});
  if (held != jobs.end()) {
    deadlines.erase({held->second.ends_at, id});
    jobs.erase(held);
  }
  rebuild(id);
}

void dispatcher_state::look_at_clock() {
  auto now = runtime::wall_ms(self->home_system());
  if (now >= close_again_at)
    close_stragglers(std::exchange(unclosed, {}));
  while (!deadlines.empty() && deadlines.begin()->first <= now) {
    auto id = deadlines.begin()->second;
    deadlines.erase(deadlines.begin());
    self->send(jobs.at(id).actor, job_deadline_passed{});
  }
  while (!reader_deadlines.empty() && reader_deadlines.begin()->first <= now) {
    auto key = reader_deadlines.begin()->second;
    reader_deadlines.erase(reader_deadlines.begin());
    auto found = readers.find(key);
    if (found == readers.end())
      continue;
    found->second.promise.deliver(job_status{found->second.job_id, job_state::running});
    auto [first, last] = readers_of.equal_range(found->second.job_id);
    for (auto reader = first; reader != last; ++reader)
      if (reader->second == key) {
        readers_of.erase(reader);
        break;
      }
    readers.erase(found);
  }
}

std::string dispatcher_state::describe() const {
  return std::to_string(jobs.size()) + " jobs, " + std::to_string(under_way)
         + " submissions under way, " + std::to_string(readers.size()) + " readers wait"
         + (is_loaded ? "" : ", loading");
}

dispatcher_actor::behavior_type dispatcher(dispatcher_state::self_pointer self,
                                           dispatcher_arguments arguments) {
  auto& state = self->state;
  state.initialise(self, std::move(arguments));
  self->set_down_handler([&state](caf::down_msg& news) { state.note_down(news); });
  self->delayed_send(self, tick, caf::tick_atom_v);
  return {
    [&state](submit_job& request) { return state.admit(request); },
    [&state](cancel_job& request) { return state.cancel(request); },
    [&state](const cancel_array& request) { return state.cancel_all(request); },
    [&state](const await_job& request) { return state.await(request); },
    [&state](const job_ended& news) { state.note_ended(news); },
    [self, &state](caf::tick_atom) {
      state.look_at_clock();
      self->delayed_send(self, tick, caf::tick_atom_v);
    },
  };
}

}  // namespace dim::actors
