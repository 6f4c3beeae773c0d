#include <doctest/doctest.h>

#include <thread>

#include "runtime/thread_binding.hpp"

using namespace dim::runtime;

namespace {

/// Where a thread that is started here may run.
std::vector<std::uint32_t> cores_of_a_new_thread() {
  std::vector<std::uint32_t> cores;
  std::thread{[&] { cores = cores_of_this_thread(); }}.join();
  return cores;
}

}  // namespace

TEST_CASE("a bound thread keeps to its cores, and has all again afterwards") {
  auto all = cores_of_this_thread();
  REQUIRE_FALSE(all.empty());
  std::vector<std::uint32_t> last{all.back()};
  {
    thread_binding binding{last};
    CHECK(cores_of_this_thread() == last);
    CHECK(cores_of_a_new_thread() == last);
  }
  CHECK(cores_of_this_thread() == all);
}

TEST_CASE("what a bound thread starts in an unbound scope may run everywhere") {
  auto all = cores_of_this_thread();
  thread_binding binding{{all.back()}};
  {
    unbound_scope everywhere;
    CHECK(cores_of_a_new_thread() == all);
  }
  CHECK(cores_of_this_thread() == std::vector<std::uint32_t>{all.back()});
}

TEST_CASE("a thread without cores, or with cores that do not exist, is not bound") {
  auto all = cores_of_this_thread();
  {
    thread_binding none{{}};
    CHECK(cores_of_this_thread() == all);
  }
  thread_binding beyond{{100'000}};
  CHECK(cores_of_this_thread() == all);
  unbound_scope everywhere;
  CHECK(cores_of_this_thread() == all);
}
