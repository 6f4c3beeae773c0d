// CACHE's transfers: chunks from the orchestrator into the cache or into memory.
#include <algorithm>
#include <utility>

#include "actors/node/model_store.hpp"
#include "actors/type_ids.hpp"
#include "runtime/caf_errors.hpp"
#include "runtime/copy_count.hpp"
#include "runtime/digest.hpp"
#include "runtime/log.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

constexpr std::size_t transfers_max = 4;

}  // namespace

model_store_state::transfer* model_store_state::transfer_of(const std::string& digest,
                                                            std::uint64_t byte_size,
                                                            bool is_model) {
  auto found = transfers.find(digest);
  if (found == transfers.end()) {
    found = transfers.emplace(digest, transfer{byte_size, is_model, arguments.cluster.chunk_window})
              .first;
  }
  auto fits = found->second.is_model == is_model && found->second.byte_size == byte_size;
  return fits ? &found->second : nullptr;
}

void model_store_state::start_transfers() {
  std::size_t running = 0;
  std::vector<std::string> waiting;
  for (auto& [digest, each] : transfers) {
    if (each.running)
      ++running;
    else
      waiting.push_back(digest);
  }
  for (auto& digest : waiting) {
    if (running >= transfers_max)
      break;
    auto& target = transfers.at(digest);
    target.running = true;
    ++running;
    if (target.is_model) {
      if (auto begun = cache->begin(digest, target.byte_size); !begun) {
        fail_transfer(digest, begun.error());
        continue;
      }
    } else {
      target.buffer.reserve(target.byte_size);
    }
    ask_for_chunks(digest);
  }
  arm();
}

void model_store_state::ask_for_chunks(const std::string& digest) {
  auto target = entry.get(*self);
  for (;;) {
    auto found = transfers.find(digest);
    if (found == transfers.end())
      return;
    if (found->second.chunks.is_complete())
      return complete(digest);
    auto wish = target ? found->second.chunks.next() : std::nullopt;
    if (!wish)
      return;
    calls.call(self, target, arguments.cluster.request_timeout_ms, "entry",
               fetch_chunk{digest, wish->offset, wish->length},
               [this, digest, offset = wish->offset,
                round = found->second.round](runtime::expected<chunk> reply) {
                 take_chunk(digest, offset, round, std::move(reply));
               });
  }
}

void model_store_state::take_chunk(const std::string& digest, std::uint64_t offset,
                                   std::uint32_t round, runtime::expected<chunk> reply) {
  auto found = transfers.find(digest);
  if (found == transfers.end())
    return;
  auto& target = found->second;
  if (!reply) {
    if (round != target.round)
      return;
    // Asked for again at the next look: a pause between two tries.
    if (!may_heal(reply.error().code) || !target.chunks.failed(offset))
      fail_transfer(digest, reply.error());
    return;
  }
  auto parts = target.chunks.arrived(offset, std::move(reply->data));
  if (!parts)
    return fail_transfer(digest, parts.error());
  for (auto& part : *parts)
    if (auto appended = append(digest, target, part); !appended)
      return fail_transfer(digest, appended.error());
  ask_for_chunks(digest);
}

runtime::expected<void> model_store_state::append(const std::string& digest, transfer& target,
                                                  const file_part& part) {
  if (target.is_model) {
    auto received = cache->append(digest, part.offset, part.data.view());
    if (!received)
      return tl::unexpected(received.error());
  } else {
    auto data = part.data.view();
    target.buffer.insert(target.buffer.end(), data.begin(), data.end());
    runtime::note_copy(runtime::copy_place::gather, data.size());
  }
  return {};
}

void model_store_state::complete(const std::string& digest) {
  auto done = transfers.extract(digest);
  if (done.mapped().is_model)
    complete_model(digest, std::move(done.mapped()));
  else
    complete_blob(digest, std::move(done.mapped()));
  start_transfers();
}

void model_store_state::complete_model(const std::string& digest, transfer done) {
  auto path = cache->commit(digest);
  has_told = false;
  tell_node();
  for (auto& waiter : done.model_waiters) {
    if (!path)
      waiter.promise.deliver(runtime::to_error(path.error()));
    else if (!serve(waiter))
      waiter.promise.deliver(
        runtime::to_error(error_code::internal, "the model left the cache while it was fetched"));
  }
  runtime::log(runtime::log_level::info, name, path ? "fetched a model" : "lost a model",
               {{"model_digest", digest},
                {"bytes", done.byte_size},
                {"reason", path ? std::string{} : path.error().message}});
}

void model_store_state::complete_blob(const std::string& digest, transfer done) {
  runtime::bytes data{std::move(done.buffer)};
  auto intact = runtime::sha256_hex(data.view()) == digest;
  for (auto& waiter : done.blob_waiters) {
    if (intact)
      waiter.promise.deliver(fetched_blob{data});
    else
      waiter.promise.deliver(runtime::to_error(
        error_code::corrupt, "the fetched input does not have its digest " + digest));
  }
}

void model_store_state::fail_transfer(const std::string& digest, const runtime::failure& error) {
  auto failed = transfers.extract(digest);
  if (failed.empty())
    return;
  if (failed.mapped().is_model)
    cache->abandon(digest);
  has_told = false;
  for (auto& waiter : failed.mapped().model_waiters)
    waiter.promise.deliver(runtime::to_error(error));
  for (auto& waiter : failed.mapped().blob_waiters)
    waiter.promise.deliver(runtime::to_error(error));
  runtime::log(runtime::log_level::warn, name, "could not fetch a file",
               {{"digest", digest},
                {"code", to_string(error.code)},
                {"reason", error.message}});
  start_transfers();
}

void model_store_state::note_entry_down(const caf::down_msg& news) {
  if (!entry.note_down(news))
    return;
  for (auto& [digest, each] : transfers) {
    ++each.round;
    each.chunks.restart_asked();
  }
  calls.fail_node("entry", {error_code::node_lost, "the orchestrator is gone", {}});
  arm();
}

void model_store_state::expire(std::int64_t now) {
  auto reason = runtime::to_error(error_code::expired, "the bytes did not come in the time left");
  auto expire_waiters = [&](auto& waiters) {
    std::erase_if(waiters, [&](auto& waiter) {
      if (now < waiter.deadline_ms)
        return false;
      waiter.promise.deliver(reason);
      return true;
    });
  };
  expire_waiters(to_find);
  std::vector<std::string> unwanted;
  for (auto& [digest, each] : transfers) {
    expire_waiters(each.model_waiters);
    expire_waiters(each.blob_waiters);
    if (each.model_waiters.empty() && each.blob_waiters.empty())
      unwanted.push_back(digest);
  }
  for (auto& digest : unwanted)
    fail_transfer(digest, {error_code::expired, "nobody waits for it any more", {}});
}

}  // namespace dim::actors
