#include "tests/simulation/planted_messages.hpp"

#include "actors/cluster/interface.hpp"
#include "actors/job/messages.hpp"
#include "actors/node/messages.hpp"
#include "actors/type_ids.hpp"
#include "runtime/digest.hpp"

namespace dim::simulation {

namespace {

using children_list = std::vector<runtime::child_spec>;

}  // namespace

void idempotency_key_forgotten::on_orchestrator(tools::orchestrator_services& services,
                                                children_list& children) {
  put_in_front(children, "DISPATCHER", services.dispatcher, [](caf::message& content) {
    if (content.match_elements<actors::submit_job>())
      content.get_mutable_as<actors::submit_job>(0).idempotency_key.clear();
    return true;
  });
}

void replicas_placed_alone::on_orchestrator(tools::orchestrator_services& services,
                                            children_list& children) {
  using send_function = std::function<void(caf::message)>;
  rewrite_in_front(
    children, "SCHEDULER", services.scheduler,
    [](caf::message content, const send_function& send) {
      if (!content.match_elements<actors::place_executions>())
        return send(std::move(content));
      const auto wish = content.get_as<actors::place_executions>(0);
      for (const auto& one : wish.group)
        send(caf::make_message(actors::place_executions{{one}, wish.time_left_ms}));
    });
}

void retry_on_the_same_node::on_orchestrator(tools::orchestrator_services& services,
                                             children_list& children) {
  put_in_front(children, "SCHEDULER", services.scheduler, [](caf::message& content) {
    if (content.match_elements<actors::place_executions>())
      for (auto& one : content.get_mutable_as<actors::place_executions>(0).group)
        one.avoid.clear();
    return true;
  });
}

void score_counted_twice::on_orchestrator(tools::orchestrator_services& services,
                                          children_list& children) {
  using send_function = std::function<void(caf::message)>;
  rewrite_in_front(children, "REGISTRY", services.registry,
                   [](caf::message content, const send_function& send) {
                     const auto is_score = content.match_elements<actors::score_nodes>();
                     auto again = is_score ? content : caf::message{};
                     send(std::move(content));
                     if (is_score)
                       send(std::move(again));
                   });
}

void digest_not_checked::on_orchestrator(tools::orchestrator_services& services,
                                         children_list& children) {
  put_in_front(children, "SCHEDULER", services.scheduler, [](caf::message& content) {
    if (content.match_elements<actors::execution_finished>())
      for (auto& output : content.get_mutable_as<actors::execution_finished>(0).outputs)
        if (!output.is_detached())
          output.digest = runtime::sha256_hex(output.data.view());
    return true;
  });
}

}  // namespace dim::simulation
