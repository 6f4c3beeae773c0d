// CACHE's models: who asks for which, and what lies on the disk. Bytes on their way are in
// model_store_transfers.cpp.
#include "actors/node/model_store.hpp"

#include <algorithm>
#include <utility>

#include "actors/type_ids.hpp"
#include "runtime/caf_errors.hpp"
#include "runtime/log.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

constexpr std::uint64_t time_left_max_ms = 1'000ull * 3'600 * 24 * 365;
constexpr std::size_t known_max = 4'096;

std::int64_t deadline_of(std::int64_t now_ms, std::uint64_t time_left_ms) {
  return now_ms + static_cast<std::int64_t>(std::min(time_left_ms, time_left_max_ms));
}

std::string catalogue_key(const std::string& model, const std::string& version,
                          const std::string& digest) {
  return model + ":" + version + "@" + digest;
}

}  // namespace

model_store_state::~model_store_state() {
  auto reason = runtime::to_error(error_code::unavailable, "the model cache has been stopped");
  for (auto& waiter : to_find)
    waiter.promise.deliver(reason);
  for (auto& [digest, each] : transfers) {
    for (auto& waiter : each.model_waiters)
      waiter.promise.deliver(reason);
    for (auto& waiter : each.blob_waiters)
      waiter.promise.deliver(reason);
  }
}

bool model_store_state::initialise(model_store_arguments values) {
  arguments = std::move(values);
  entry = entry_watch{arguments.entry};
  auto opened = models::model_cache::open(arguments.cache);
  if (!opened) {
    runtime::log(runtime::log_level::error, name, "can not open the model cache",
                 {{"reason", opened.error().message}});
    self->quit(runtime::to_error(opened.error()));
    return false;
  }
  cache.emplace(std::move(*opened));
  arm();
  return true;
}

std::int64_t model_store_state::now_ms() const {
  return runtime::clock_ns(self->home_system()) / 1'000'000;
}

caf::typed_response_promise<served_model> model_store_state::acquire(const acquire_model& wish) {
  auto promise = self->make_response_promise<served_model>();
  model_waiter waiter{wish, promise, deadline_of(now_ms(), wish.time_left_ms), {}};
  auto found = known.find(catalogue_key(wish.name, wish.version, wish.digest));
  if (found != known.end() && found->second.revision == wish.revision)
    take_entry(std::move(waiter), found->second);
  else
    find(std::move(waiter));
  return promise;
}

void model_store_state::find(model_waiter waiter) {
  auto target = entry.get(*self);
  if (!target) {
    to_find.push_back(std::move(waiter));
    return arm();
  }
  auto shared = std::make_shared<model_waiter>(std::move(waiter));
  calls.call(self, target, arguments.cluster.request_timeout_ms, "entry",
             find_model{shared->wish.name, shared->wish.version},
             [this, shared](runtime::expected<model_entry> reply) {
               take_entry(std::move(*shared), std::move(reply));
             });
}

void model_store_state::take_entry(model_waiter waiter, runtime::expected<model_entry> found) {
  if (!found) {
    if (!may_heal(found.error().code)) {
      waiter.promise.deliver(runtime::to_error(found.error()));
      return;
    }
    to_find.push_back(std::move(waiter));
    return arm();
  }
  auto& wish = waiter.wish;
  if (!wish.digest.empty() && found->digest != wish.digest) {
    waiter.promise.deliver(runtime::to_error(
      error_code::model_not_found,
      wish.name + ":" + wish.version + " is another file than the one that was asked for"));
    return;
  }
  if (known.size() < known_max)
    known.insert_or_assign(catalogue_key(found->name, found->version, found->digest), *found);
  waiter.found = std::move(*found);
  if (serve(waiter))
    return;
  auto* target = transfer_of(waiter.found.digest, waiter.found.byte_size, true);
  if (target == nullptr) {
    waiter.promise.deliver(
      runtime::to_error(error_code::conflict, "the same bytes are on their way as an input"));
    return;
  }
  target->model_waiters.push_back(std::move(waiter));
  start_transfers();
}

bool model_store_state::serve(model_waiter& waiter) {
  auto& found = waiter.found;
  auto path = cache->lookup(found.digest);
  if (!path || !cache->pin(found.digest))
    return false;
  waiter.promise.deliver(served_model{found.name, found.version, found.digest, path->string(),
                                      found.byte_size, found.spec, found.revision});
  return true;
}

void model_store_state::release(const std::string& digest) {
  cache->unpin(digest);
}

caf::typed_response_promise<fetched_blob> model_store_state::fetch(const fetch_blob& wish) {
  auto promise = self->make_response_promise<fetched_blob>();
  constexpr std::uint64_t blob_bytes_max = 4ull << 30;
  if (wish.byte_size > blob_bytes_max) {
    promise.deliver(runtime::to_error(error_code::too_large, "an input of " +
                                                               std::to_string(wish.byte_size) +
                                                               " bytes is too large"));
    return promise;
  }
  auto* target = transfer_of(wish.digest, wish.byte_size, false);
  if (target == nullptr) {
    promise.deliver(
      runtime::to_error(error_code::conflict, "the same bytes are on their way as a model"));
    return promise;
  }
  target->blob_waiters.push_back({promise, deadline_of(now_ms(), wish.time_left_ms)});
  start_transfers();
  return promise;
}

void model_store_state::retry_finding() {
  if (to_find.empty() || !entry.get(*self))
    return;
  for (auto& waiter : std::exchange(to_find, {}))
    find(std::move(waiter));
}

void model_store_state::look_at_clock() {
  look_is_due = false;
  expire(now_ms());
  retry_finding();
  std::vector<std::string> running;
  for (auto& [digest, each] : transfers)
    if (each.running)
      running.push_back(digest);
  for (auto& digest : running)
    ask_for_chunks(digest);
  tell_node();
  arm();
}

void model_store_state::tell_node() {
  auto node = arguments.node.get();
  if (!node || has_told)
    return;
  has_told = true;
  self->send(node, cache_changed{cache->used_bytes(), cache->digests()});
}

void model_store_state::arm() {
  if (look_is_due || (to_find.empty() && transfers.empty() && has_told))
    return;
  look_is_due = true;
  self->delayed_send(self, std::chrono::milliseconds{arguments.cluster.rejoin_backoff_ms},
                     transfer_due{});
}

std::string model_store_state::describe() const {
  return "models " + std::to_string(cache ? cache->digests().size() : 0) + ", bytes " +
         std::to_string(cache ? cache->used_bytes() : 0) + " of " +
         std::to_string(arguments.cache.bytes_max) + ", transfers " +
         std::to_string(transfers.size()) + ", waiting " + std::to_string(to_find.size());
}

model_store_actor::behavior_type model_store(model_store_state::self_pointer self,
                                             model_store_arguments arguments) {
  auto& state = self->state;
  if (!state.initialise(std::move(arguments)))
    return model_store_actor::behavior_type::make_empty_behavior();
  self->set_down_handler([&state](caf::down_msg& news) { state.note_entry_down(news); });
  return {
    [&state](const acquire_model& wish) { return state.acquire(wish); },
    [&state](const release_model& wish) { state.release(wish.digest); },
    [&state](const fetch_blob& wish) { return state.fetch(wish); },
    [&state](transfer_due) { state.look_at_clock(); },
  };
}

}  // namespace dim::actors
