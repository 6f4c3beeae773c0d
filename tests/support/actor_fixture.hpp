#pragma once

#include "actors/message_types.hpp"
#include "actors/type_ids.hpp"
#include "tests/support/runtime_fixture.hpp"

namespace dim::tests {

/// The fixture for tests of actors: `runtime_fixture` (read its functions there) with all message
/// types of the project.
///
///     actor_fixture f;
///     auto store = f.fake<actors::store_actor>([](const actors::commit_changes&) {
///       return actors::commit_result{true, {}, 1};
///     });
///     auto reply = f.ask<actors::commit_result>(store, actors::commit_changes{});
class actor_fixture : public runtime_fixture {
public:
  explicit actor_fixture(std::uint64_t seed = 1)
    : runtime_fixture(seed, actors::add_message_types) {
  }
};

}  // namespace dim::tests
