#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

namespace dim::simulation {

/// A simulated process; hosts are numbered from 0.
using host_id = std::int32_t;
inline constexpr host_id no_host = -1;

/// CAF's scheduler for a simulation: it runs nothing by itself, keeps the actors that have messages
/// in a list from which the simulator picks, and knows on which host each actor lives, which is the
/// host of the actor that spawned it. Actors of a frozen host are not in the list.
class coordinator final : public caf::scheduler::test_coordinator {
public:
  explicit coordinator(caf::actor_system& system);
  static caf::actor_system::module* make(caf::actor_system& system, caf::detail::type_list<>);

  /// The host of what runs now; actors that are spawned live there.
  host_id current = no_host;

  host_id home_of(caf::actor_id id) const noexcept {
    return id < homes_.size() ? homes_[id] : no_host;
  }

  /// Actors that may run now.
  std::size_t ready() const noexcept {
    return ready_.size();
  }
  caf::scheduled_actor& peek(std::size_t index) const;

  /// Lets one of them handle one message.
  void run(std::size_t index);

  void freeze(host_id host);
  void thaw(host_id host);

  /// Forgets that the actors of this host have messages, because they have ended.
  void forget(host_id host);

  /// What actors run on; for ending one from outside.
  caf::execution_unit* unit() noexcept {
    return &unit_;
  }

protected:
  void enqueue(caf::resumable* job) override;
  void stop() override;

private:
  class simulated_unit final : public caf::execution_unit {
  public:
    simulated_unit(caf::actor_system* system, coordinator* owner)
      : caf::execution_unit(system), owner_(owner) {
    }
    void exec_later(caf::resumable* job) override {
      owner_->enqueue(job);
    }

  private:
    coordinator* owner_;
  };

  struct job {
    caf::resumable* what = nullptr;
    host_id host = no_host;
  };

  bool is_frozen(host_id host) const noexcept;

  simulated_unit unit_;
  std::vector<job> ready_;
  std::vector<job> parked_;
  std::vector<host_id> frozen_;
  std::vector<host_id> homes_;
};

}  // namespace dim::simulation
