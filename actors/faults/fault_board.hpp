#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <caf/all.hpp>

#include "actors/faults/fault_names.hpp"
#include "actors/faults/messages.hpp"
#include "runtime/disk_faults.hpp"
#include "runtime/system.hpp"

namespace dim::actors {

/// What a fault does to one forward.
struct forward_fault {
  bool is_out_of_memory = false;
  bool is_wrong = false;
  /// How many times as long it takes.
  double factor = 1.0;
};

/// The faults that hold in this process. FAULTS writes them down; the hook of the actor base, the
/// disk and the decorators of INFERENCE ask, in their own threads. A fault whose time is over has
/// no effect, whether it was taken away or not. Thread-safe.
class fault_board {
public:
  /// `names`: of this process.
  explicit fault_board(std::vector<std::string> names) : names_(std::move(names)) {
  }

  const std::vector<std::string>& names() const noexcept {
    return names_;
  }

  /// Lets the fault hold until `until_ns`, a time of the actor clock.
  void put(const fault_order& order, std::int64_t until_ns);
  /// Takes a fault away, or all when `id` is empty.
  void remove(const std::string& id);
  void remove_expired(std::int64_t now_ns);
  std::vector<active_fault> active(std::int64_t now_ns) const;

  /// The names of the processes behind nodes of the actor system; all others are none of the
  /// cluster's processes, and their messages are left alone.
  void set_peers(std::map<caf::node_id, std::vector<std::string>> peers);

  /// The fate of a message that is on its way to the actor named `receiver`.
  runtime::fault_decision decide(caf::actor_system& system, const char* receiver,
                                 const caf::mailbox_element& element);
  /// The fate of a write of the store.
  runtime::write_fate decide(runtime::disk_write write, std::int64_t now_ns);
  /// What becomes of a forward of this model.
  forward_fault decide_forward(const std::string& model, std::int64_t now_ns);

private:
  struct rule {
    fault_order order;
    fault_target target;
    std::int64_t until_ns = 0;
    std::atomic<std::uint64_t> asked{0};
    std::atomic<std::uint64_t> strikes{0};

    /// Whether this fault strikes the next of what it concerns. `draw` gets a random number that
    /// belongs to this decision.
    bool strikes_next(std::uint64_t& draw);
  };
  using rule_list = std::vector<std::shared_ptr<rule>>;
  using peer_map = std::map<caf::node_id, std::vector<std::string>>;

  rule_list rules() const;
  bool is_on_link(const rule& each, const char* receiver,
                  const std::vector<std::string>& peer) const;

  const std::vector<std::string> names_;
  mutable std::mutex mutex_;
  rule_list rules_;
  std::shared_ptr<const peer_map> peers_ = std::make_shared<const peer_map>();
};

}  // namespace dim::actors
