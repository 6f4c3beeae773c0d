#include "runtime/system.hpp"

#include <chrono>
#include <random>
#include <utility>

#include <caf/all.hpp>
#include <caf/io/all.hpp>
#include <caf/io/network/default_multiplexer.hpp>

#include "runtime/messages.hpp"

namespace dim::runtime {

namespace {

/// CAF's event loop of the links, which looks for events for a moment before it sleeps.
class link_multiplexer : public caf::io::network::default_multiplexer {
public:
  using default_multiplexer::default_multiplexer;

  void run() override {
    auto& shared = context_of(system());
    spin_wait waiting{shared.spin_limit, shared.traffic};
    while (num_socket_handlers() > 0)
      if (!try_run_once() && !waiting.look([this] { return try_run_once(); }))
        run_once();
  }
};

caf::actor_system::module* make_middleman(caf::actor_system& system) {
  // Simulation has an event loop of its own, which CAF knows by this option.
  auto loop = caf::get_or(system.config(), "middleman.network-backend", caf::atom("default"));
  if (loop != caf::atom("default"))
    return caf::io::middleman::make(system, caf::detail::type_list<>{});
  return caf::io::middleman::make(system, caf::detail::type_list<link_multiplexer>{});
}

}  // namespace

fault_switch& fault_switch::operator=(fault_hook hook) {
  auto next = hook ? std::make_shared<const fault_hook>(std::move(hook)) : nullptr;
  std::lock_guard guard{mutex_};
  is_on_.store(next != nullptr, std::memory_order_relaxed);
  hook_.swap(next);
  return *this;
}

fault_decision fault_switch::operator()(const char* receiver,
                                        const caf::mailbox_element& element) const {
  std::shared_ptr<const fault_hook> hook;
  {
    std::lock_guard guard{mutex_};
    hook = hook_;
  }
  return hook ? (*hook)(receiver, element) : message_fault::none;
}

system_config::system_config() {
  add_message_types<caf::id_block::dim_runtime>();
  set("scheduler.policy", caf::atom("sharing"));
  using namespace std::chrono;
  context->wall_base_ms =
    duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
  context->clock_base_ns =
    duration_cast<nanoseconds>(caf::actor_clock::clock_type::now().time_since_epoch()).count();
  std::random_device source;
  context->seed = (std::uint64_t{source()} << 32) | source();
}

void system_config::enable_links(std::uint32_t heartbeat_ms, std::uint32_t lost_ms) {
  module_factories.emplace_back(&make_middleman);
  set("middleman.workers", 0);
  set("middleman.heartbeat-interval", caf::timespan{std::chrono::milliseconds{heartbeat_ms}});
  set("middleman.connection-timeout", caf::timespan{std::chrono::milliseconds{lost_ms}});
  set("middleman.enable-automatic-connections", false);
}

void system_config::enable_simulation(std::uint64_t seed) {
  set("scheduler.policy", caf::atom("testing"));
  context->cooperative = true;
  context->seed = seed;
  context->wall_base_ms = 1'700'000'000'000;
  context->clock_base_ns = 0;
}

void enable_link_lane(caf::actor_system& system) {
  auto& links = system.middleman().backend();
  auto& lane = context_of(system).lanes.take(system);
  links.post([&links, &lane] {
    lane.enter([&links, &lane] { links.post([&lane] { lane.run(); }); }, &links);
  });
}

system_context& context_of(caf::actor_system& system) {
  return *static_cast<const system_config&>(system.config()).context;
}

std::int64_t clock_ns(caf::actor_system& system) {
  auto now = system.clock().now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

std::int64_t wall_ms(caf::actor_system& system) {
  auto& context = context_of(system);
  return context.wall_base_ms + (clock_ns(system) - context.clock_base_ns) / 1'000'000;
}

}  // namespace dim::runtime
