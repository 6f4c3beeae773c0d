#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <caf/all.hpp>

#include "actors/type_ids.hpp"
#include "tests/gateway/fake_serving.hpp"

namespace dim::tests {

/// What a fake ENTRY has been told, and what it answers; shared with the test's thread.
class entry_script {
public:
  entry_script();

  /// Jobs that `get_job` finds, by id.
  void put_job(actors::job_view view);
  std::optional<actors::job_view> find_job(const std::string& id) const;
  /// Ends a job; `cancel_job` then answers those who wait for it.
  void complete(const std::string& id);
  /// Waits until an `await_job` has come.
  void wait_awaited();
  void note_awaited();

  /// Blobs that `fetch_chunk` reads, by digest.
  void put_blob(const std::string& digest, runtime::bytes data);
  runtime::bytes blob(const std::string& digest) const;

  void note_submission(const actors::submit_job& message);
  std::vector<actors::submit_job> submissions() const;

  /// The array whose jobs were listed last.
  void note_filter(const std::string& array_id);
  std::string array_filter() const;

  /// Bytes of uploads, by upload id, and those that were abandoned.
  void note_block(const actors::upload_block& message);
  void note_abandoned(const std::string& upload_id);
  std::uint64_t uploaded() const;
  std::string uploaded_bytes() const;
  std::size_t abandoned() const;
  void wait_abandoned();

  /// While held, `upload_block` is not answered until `release_blocks`.
  bool are_blocks_held() const;
  void hold_blocks(bool held);

  /// The last fault that was to be injected.
  void note_fault(const actors::fault_order& order);
  actors::fault_order last_fault() const;

  /// Set before the first request.
  bool are_faults_enabled = true;
  runtime::failure submit_failure;
  runtime::failure finish_failure;
  actors::upload_progress resumed;
  actors::array_view array;
  actors::cluster_status status;
  runtime::stuck_actor_list stuck;
  actors::node_list nodes;
  actors::model_list models;
  actors::execution_list executions;
  actors::event_list events;
  /// What concerns direct inference and the models that are served.
  std::shared_ptr<serving_script> serving = std::make_shared<serving_script>();

private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, actors::job_view> jobs_;
  std::map<std::string, runtime::bytes> blobs_;
  std::vector<actors::submit_job> submissions_;
  std::string array_filter_;
  actors::fault_order fault_;
  std::string uploaded_;
  std::size_t abandoned_ = 0;
  std::size_t awaited_ = 0;
  bool blocks_held_ = false;
};

/// An ENTRY that answers from a script.
caf::behavior fake_entry(caf::event_based_actor* self, std::shared_ptr<entry_script> script);

/// Tells the fake to answer the blocks that it has held back.
struct release_blocks {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, release_blocks&) {
  return f();
}

}  // namespace dim::tests

CAF_BEGIN_TYPE_ID_BLOCK(dim_fake_entry, caf::first_custom_type_id + 500)
CAF_ADD_TYPE_ID(dim_fake_entry, (dim::tests::release_blocks))
CAF_END_TYPE_ID_BLOCK(dim_fake_entry)
