#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/node/chunk_transfer.hpp"
#include "actors/node/entry_watch.hpp"
#include "actors/node/interface.hpp"
#include "config/options.hpp"
#include "models/model_cache.hpp"
#include "runtime/actor_base.hpp"
#include "runtime/call_table.hpp"
#include "runtime/service.hpp"

namespace dim::actors {

struct model_store_arguments {
  config::cluster_options cluster;
  /// Where the cache lies, and how large it may be.
  models::model_cache_options cache;
  /// The orchestrator's ENTRY, empty while there is no link.
  runtime::service<caf::actor> entry;
  /// Is told what heartbeats carry.
  runtime::service<node_control_actor> node;
};

/// CACHE: the node's model files on disk, and whatever has to be fetched from the orchestrator. It
/// blocks on the disk, so it lives on a thread of its own (`runtime::spawn_detached`).
///
///   acquire_model --find_model--> known --cached--> pinned, answered
///                                   \--fetch_chunk ...--> verified, pinned, answered
///
/// Transfers of one digest are shared. At most `transfers_max` run at once, each with a window of
/// chunks; the others wait. When the orchestrator goes away they stop, and go on from the same
/// chunk when it is back. Everyone who waits is answered when the time left has passed.
struct model_store_state {
  static inline const char* name = "CACHE";
  using self_pointer = runtime::actor_self<model_store_actor, model_store_state>;

  explicit model_store_state(self_pointer pointer) : self(pointer) {
  }
  /// Whoever still waits is told.
  ~model_store_state();

  /// Opens the cache. False, with the actor quitting, when its folder can not be used.
  bool initialise(model_store_arguments values);

  caf::typed_response_promise<served_model> acquire(const acquire_model& wish);
  void release(const std::string& digest);
  caf::typed_response_promise<fetched_blob> fetch(const fetch_blob& wish);
  void look_at_clock();
  void note_entry_down(const caf::down_msg& news);
  std::string describe() const;

private:
  using model_promise = caf::typed_response_promise<served_model>;
  using blob_promise = caf::typed_response_promise<fetched_blob>;

  struct model_waiter {
    acquire_model wish;
    model_promise promise;
    std::int64_t deadline_ms = 0;
    /// As the catalogue has it, once that is known.
    model_entry found;
  };
  struct blob_waiter {
    blob_promise promise;
    std::int64_t deadline_ms = 0;
  };
  struct transfer {
    transfer(std::uint64_t bytes, bool model, std::uint32_t window)
      : byte_size(bytes), chunks(bytes, window), is_model(model) {
    }

    std::uint64_t byte_size;
    chunk_transfer chunks;
    /// Where the bytes go: a model goes into the cache, a blob into memory.
    bool is_model;
    std::vector<char> buffer;
    std::vector<model_waiter> model_waiters;
    std::vector<blob_waiter> blob_waiters;
    bool running = false;
    /// Grows with each loss of the orchestrator: failures of older requests do not count.
    std::uint32_t round = 0;
  };

  std::int64_t now_ms() const;

  // model_store.cpp: models
  void find(model_waiter waiter);
  void take_entry(model_waiter waiter, runtime::expected<model_entry> found);
  /// Answers from the cache; false when the file is not there.
  bool serve(model_waiter& waiter);
  void retry_finding();
  void tell_node();

  // model_store_transfers.cpp: bytes
  /// The transfer of this file, begun when there is none; nullptr when its digest is also on its
  /// way as the other kind.
  transfer* transfer_of(const std::string& digest, std::uint64_t byte_size, bool is_model);
  void start_transfers();
  void ask_for_chunks(const std::string& digest);
  void take_chunk(const std::string& digest, std::uint64_t offset, std::uint32_t round,
                  runtime::expected<chunk> reply);
  runtime::expected<void> append(const std::string& digest, transfer& target,
                                 const file_part& part);
  void complete(const std::string& digest);
  void complete_model(const std::string& digest, transfer done);
  void complete_blob(const std::string& digest, transfer done);
  void fail_transfer(const std::string& digest, const runtime::failure& error);
  void expire(std::int64_t now);
  void arm();

  self_pointer self;
  model_store_arguments arguments;
  std::optional<models::model_cache> cache;
  runtime::call_table calls;
  std::map<std::string, transfer> transfers;  // by digest
  /// What the catalogue said of models, by name, version and digest: it outlives a lost link.
  std::map<std::string, model_entry> known;
  /// Models that could not be looked up yet.
  std::deque<model_waiter> to_find;
  entry_watch entry;
  bool look_is_due = false;
  /// NODE has been told what the cache holds now.
  bool has_told = false;
};

model_store_actor::behavior_type model_store(model_store_state::self_pointer self,
                                             model_store_arguments arguments);

}  // namespace dim::actors
