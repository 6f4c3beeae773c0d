#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actors/cluster/node_record.hpp"

/// What a node has given away of its cores, memory and devices. Pure: no actor, no clock.
namespace dim::actors {

/// What one execution asks for.
struct resource_need {
  /// Cores of the node.
  std::uint32_t cores = 1;
  /// Memory of the node, in bytes.
  std::uint64_t memory_bytes = 0;
  /// Only a GPU will do.
  bool gpu = false;
  /// Memory of the GPU when it runs on one, in bytes; 0 when unknown.
  std::uint64_t gpu_bytes = 0;
  /// Executions of one model on one device share an agent, and so its cores and memory.
  std::string model_key;
};

/// The ledger of a node.
///
/// Executions of the same model on the same device are one *group*: they run in one agent, so the
/// group holds the largest need among its members, once, and each member holds one of the device's
/// slots.
///
/// Invariants: what the groups hold never exceeds what the node and its devices offer, and a device
/// has at most `slots` members. `release` gives back exactly what `reserve` took.
class resource_ledger {
public:
  resource_ledger() = default;
  /// `facts` give cores, memory and devices.
  explicit resource_ledger(const node_facts& facts);

  /// Whether the node could run it with nothing else in hand; the reason in words when not.
  std::string refusal_of(const resource_need& need) const;

  /// Takes what `need` asks for under `key` and returns the device's name; nothing when there is no
  /// room now. A device that has an agent of the model comes first, then the one with the most
  /// free slots, then the order of the node's facts. `key` must be new.
  std::optional<std::string> reserve(const std::string& key, const resource_need& need);

  /// Gives back what `key` holds. Unknown keys are ignored.
  void release(const std::string& key);

  /// The models that have an agent on `device` now: they are preferred there.
  void set_agents(const std::string& device, const std::vector<std::string>& model_keys);

  /// Whether some device has an agent of the model, or a group of it.
  bool is_served(const std::string& model_key) const;

  std::uint32_t free_cores() const noexcept {
    return cores_ - used_cores_;
  }
  std::uint64_t free_memory_bytes() const noexcept {
    return memory_bytes_ - used_memory_bytes_;
  }
  /// Executions that may start before every slot is taken.
  std::uint32_t free_slots() const noexcept;

private:
  struct amounts {
    std::uint32_t cores = 0;
    std::uint64_t memory_bytes = 0;
    std::uint64_t gpu_bytes = 0;
  };
  struct group {
    std::map<std::string, amounts> members;
    amounts held;
  };
  struct device {
    device_facts facts;
    std::uint32_t used_slots = 0;
    std::uint64_t used_gpu_bytes = 0;
    std::map<std::string, group> groups;  // by model key
    std::set<std::string> agents;         // model keys
  };
  struct holder {
    std::size_t device = 0;
    std::string model_key;
  };

  static amounts amounts_of(const device_facts& facts, const resource_need& need);
  static amounts largest_of(const group& members);
  bool has_room(const device& target, const resource_need& need) const;
  void hold(device& target, group& members, const amounts& wanted);

  std::uint32_t cores_ = 0;
  std::uint64_t memory_bytes_ = 0;
  std::uint32_t used_cores_ = 0;
  std::uint64_t used_memory_bytes_ = 0;
  std::vector<device> devices_;
  std::map<std::string, holder> holders_;
};

}  // namespace dim::actors
