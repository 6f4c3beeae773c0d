#include "tests/simulation/hooks.hpp"

namespace dim::simulation {

namespace {

struct filter_state {
  static inline const char* name = "FILTER";
};

using filter_pointer = runtime::actor_self<caf::actor, filter_state>;

caf::behavior filter(filter_pointer self, const caf::actor& target,
                     const message_rewriter& rewrite) {
  self->link_to(target);
  self->set_default_handler([target, rewrite](caf::scheduled_actor* base, caf::message_view& view)
                              -> caf::result<caf::message> {
    auto* element = base->current_mailbox_element();
    auto sender = element->sender;
    auto mid = element->mid;
    // Whoever gets the message answers it.
    element->mid.mark_as_answered();
    auto* receiver = caf::actor_cast<caf::abstract_actor*>(target);
    auto first = true;
    rewrite(view.move_content_to_message(), [&](caf::message content) {
      receiver->enqueue(sender, first ? mid : caf::make_message_id(), std::move(content),
                        base->context());
      first = false;
    });
    return caf::delegated<caf::message>{};
  });
  return {[](caf::unit_t) {}};
}

}  // namespace

caf::actor spawn_filter(caf::local_actor& parent, caf::actor target, message_rewriter rewrite) {
  return parent.spawn(filter, std::move(target), std::move(rewrite));
}

}  // namespace dim::simulation
