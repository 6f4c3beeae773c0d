#include <doctest/doctest.h>

#include <functional>
#include <thread>

#include "runtime/thread_binding.hpp"

using namespace dim::runtime;

namespace {

using core_list = std::vector<std::uint32_t>;

/// Runs `work` in a thread that nobody has bound.
void in_new_thread(const std::function<void()>& work) {
  std::thread{work}.join();
}

/// Where a thread that is started here may run.
core_list cores_of_a_new_thread() {
  core_list cores;
  in_new_thread([&] { cores = cores_of_this_thread(); });
  return cores;
}

error_code refusal_of(const core_list& cores) {
  auto code = error_code::none;
  in_new_thread([&] {
    if (auto bound = bind_this_thread(cores); !bound)
      code = bound.error().code;
  });
  return code;
}

}  // namespace

TEST_CASE("a bound thread, and what it starts, keeps to its cores") {
  auto all = cores_of_this_thread();
  REQUIRE_FALSE(all.empty());
  in_new_thread([&] {
    REQUIRE(bind_this_thread({all.back()}).has_value());
    CHECK(cores_of_this_thread() == core_list{all.back()});
    CHECK(cores_of_a_new_thread() == core_list{all.back()});
  });
  CHECK(cores_of_this_thread() == all);
}

TEST_CASE("what a bound thread starts in an unbound scope may run everywhere") {
  auto all = cores_of_this_thread();
  in_new_thread([&] {
    REQUIRE(bind_this_thread({all.front()}).has_value());
    REQUIRE(bind_this_thread({all.back()}).has_value());
    {
      unbound_scope everywhere;
      CHECK(cores_of_a_new_thread() == all);
    }
    CHECK(cores_of_this_thread() == core_list{all.back()});
  });
}

TEST_CASE("an unbound scope changes nothing for a thread that is not bound") {
  auto all = cores_of_this_thread();
  {
    unbound_scope everywhere;
    CHECK(cores_of_this_thread() == all);
  }
  CHECK(cores_of_this_thread() == all);
}

TEST_CASE("a thread can not be bound to no core, or to one that it may not use") {
  CHECK(refusal_of({}) == error_code::bad_input);
  CHECK(refusal_of({1'000}) == error_code::bad_input);
  CHECK(refusal_of({1'000'000}) == error_code::bad_input);
}
