// AGENT with several workers on real threads.
#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "actors/agent/thread_worker.hpp"
#include "actors/message_types.hpp"
#include "runtime/spawn.hpp"
#include "tests/actors/agent_support.hpp"

using namespace dim;
using namespace dim::actors;
using runtime::error_code;

namespace {

/// Only a defect takes so long.
constexpr auto patience = std::chrono::seconds{60};

/// Where forwards wait for each other.
class meeting {
public:
  explicit meeting(int wanted) : wanted_(wanted) {
  }

  /// Waits until so many are here at once. False when they do not come.
  bool attend() {
    std::unique_lock guard{mutex_};
    ++here_;
    changed_.notify_all();
    return changed_.wait_for(guard, patience, [this] { return here_ >= wanted_; });
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int wanted_;
  int here_ = 0;
};

struct meeting_inference_state {
  static inline const char* name = "INFERENCE";
};

/// An INFERENCE on a thread of its own, whose forward blocks until the others have begun as well.
inference_factory meeting_inference(const std::shared_ptr<meeting>& place) {
  using self_pointer = runtime::actor_self<inference_actor, meeting_inference_state>;
  return [place](caf::local_actor& parent, const std::vector<std::uint32_t>&) {
    return runtime::spawn_detached(
      parent.home_system(), parent, [place](self_pointer) -> inference_actor::behavior_type {
        return {
          [](const load_model&) { return model_loaded{1, 2}; },
          [place](const run_batch& content) -> caf::result<batch_result> {
            if (!place->attend())
              return runtime::to_error(error_code::timeout, "the other forwards did not begin");
            return tests::echo_of(content);
          },
        };
      });
  };
}

agent_arguments arguments_of(std::uint32_t instances, const agent_owner_actor& owner,
                             const inference_factory& make) {
  agent_arguments arguments;
  arguments.model_key = "pairs:1";
  arguments.version = "1";
  arguments.spec = tests::pair_spec(1);
  arguments.workers = instances;
  arguments.device = "cpu:0";
  arguments.owner = owner;
  arguments.make_host = [make](caf::local_actor& parent, const worker_order& order,
                               const worker_listener_actor& listener) {
    return parent.spawn<caf::linked>(thread_worker, order, listener, make, inference_decorator{});
  };
  return arguments;
}

}  // namespace

TEST_CASE("three workers on threads run three forwards at the same time") {
  constexpr int workers = 3;
  runtime::system_config config;
  add_message_types(config);
  caf::actor_system system{config};
  caf::scoped_actor asker{system};
  auto owner = system.spawn([](agent_owner_actor::pointer) -> agent_owner_actor::behavior_type {
    return {[](const agent_idle&) {}, [](const agent_loaded&) {}};
  });
  auto place = std::make_shared<meeting>(workers);
  auto agent =
    system.spawn(actors::agent, arguments_of(workers, owner, meeting_inference(place)));
  auto ask = [&](int number) {
    return asker->request(agent, patience, tests::infer_of(std::to_string(number)));
  };
  std::vector<decltype(ask(0))> replies;
  for (int number = 0; number < 4 * workers; ++number)
    replies.push_back(ask(number));
  for (auto& reply : replies)
    reply.receive(
      [](infer_result& result) {
        CHECK_MESSAGE(result.error.code == error_code::none, result.error.message);
        CHECK(result.outputs.size() == 1);
      },
      [](const caf::error& problem) { FAIL(caf::to_string(problem)); });
  auto stopped = false;
  asker->monitor(agent);
  asker->send(agent, stop_agent{});
  asker->receive([&](const caf::down_msg&) { stopped = true; },
                 caf::after(patience) >> [] { FAIL("the agent does not end"); });
  CHECK(stopped);
  caf::anon_send_exit(owner, caf::exit_reason::user_shutdown);
}
