#pragma once

#include <string>

#include <caf/all.hpp>

#include "runtime/actor_base.hpp"
#include "runtime/bytes.hpp"
#include "runtime/messages.hpp"
#include "runtime/real.hpp"
#include "tests/support/runtime_fixture.hpp"

/// Message types and a small actor for the tests of the runtime, which lies below the actors.
namespace dim::tests {

struct add_number {
  std::int64_t value = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, add_number& x) {
  return f(x.value);
}

struct get_sum {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, get_sum&) {
  return f();
}

struct sum_result {
  std::int64_t value = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, sum_result& x) {
  return f(x.value);
}

/// Never answered.
struct ask_never {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, ask_never&) {
  return f();
}

/// Something with a digest's worth of bytes in it.
struct carry_payload {
  std::string text;
  runtime::bytes payload;
  std::uint64_t number = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, carry_payload& x) {
  return f(x.text, x.payload, x.number);
}

}  // namespace dim::tests

CAF_BEGIN_TYPE_ID_BLOCK(dim_runtime_tests, caf::id_block::dim_runtime::end)
  CAF_ADD_TYPE_ID(dim_runtime_tests, (dim::tests::add_number))
  CAF_ADD_TYPE_ID(dim_runtime_tests, (dim::tests::get_sum))
  CAF_ADD_TYPE_ID(dim_runtime_tests, (dim::tests::sum_result))
  CAF_ADD_TYPE_ID(dim_runtime_tests, (dim::tests::ask_never))
  CAF_ADD_TYPE_ID(dim_runtime_tests, (dim::tests::carry_payload))
CAF_END_TYPE_ID_BLOCK(dim_runtime_tests)

namespace dim::tests {

/// SUM adds numbers up; it holds the promise of `ask_never` for ever.
using sum_actor = caf::typed_actor<
  // No reply.
  caf::reacts_to<add_number>,
  // Never fails.
  caf::replies_to<get_sum>::with<sum_result>,
  // Never answers.
  caf::replies_to<ask_never>::with<sum_result>>;

struct sum_state {
  static inline const char* name = "SUM";
  std::int64_t sum = 0;
  std::vector<caf::typed_response_promise<sum_result>> kept;

  std::string describe() const {
    return "sum=" + std::to_string(sum);
  }
};

using sum_self = runtime::actor_self<sum_actor, sum_state>;

inline sum_actor::behavior_type sum(sum_self self) {
  return {
    [self](const add_number& x) { self->state.sum += x.value; },
    [self](get_sum) { return sum_result{self->state.sum}; },
    [self](ask_never) {
      self->state.kept.push_back(self->make_response_promise<sum_result>());
      return self->state.kept.back();
    },
  };
}

/// The fixture with the types above.
class sum_fixture : public runtime_fixture {
public:
  explicit sum_fixture(std::uint64_t seed = 1)
    : runtime_fixture(seed, [](runtime::system_config& config) {
        config.add_message_types<caf::id_block::dim_runtime_tests>();
      }) {
  }
};

}  // namespace dim::tests
