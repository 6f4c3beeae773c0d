#include <set>
#include <utility>

#include <doctest/doctest.h>

#include "config/descriptor.hpp"
#include "config/value.hpp"

using namespace dim::config;

namespace {

/// What of an option's bounds its member's type can not hold; empty when all is well.
std::string misfit(const descriptor& option) {
  options defaults;
  return std::visit(
    [&](auto* member) -> std::string {
      using type = std::remove_pointer_t<decltype(member)>;
      if constexpr (std::is_integral_v<type> && !std::is_same_v<type, bool>) {
        if (option.low > option.high)
          return "bounds in the wrong order";
        if (!std::in_range<type>(option.low) || !std::in_range<type>(option.high))
          return "bounds beyond the type";
      }
      return "";
    },
    option.locate(defaults));
}

}  // namespace

TEST_CASE("every option's name is unique and belongs to a section that is described") {
  std::set<std::string> names;
  std::set<std::string_view> known;
  for (const auto& section : sections())
    known.insert(section.name);
  for (const auto& option : descriptors()) {
    CAPTURE(option.name());
    CHECK(names.insert(option.name()).second);
    CHECK(known.contains(option.section));
  }
  CHECK(names.size() > 80);
}

TEST_CASE("every option has a member of its own") {
  options x;
  std::set<const void*> members;
  for (const auto& option : descriptors()) {
    CAPTURE(option.name());
    CHECK(std::visit([&](auto* member) { return members.insert(member).second; },
                     option.locate(x)));
  }
}

TEST_CASE("every option's bounds fit its type, and its default fits its bounds") {
  for (const auto& option : descriptors()) {
    CAPTURE(option.name());
    CHECK(misfit(option) == "");
    options x;
    auto text = to_toml(option, x);
    CHECK(!text.empty());
    auto member = option.locate(x);
    if (auto* list = std::get_if<std::vector<std::string>*>(&member))
      CHECK(assign(option, x, **list).empty());
    else if (auto* words = std::get_if<std::string*>(&member))
      CHECK(assign(option, x, **words).empty());
    else
      CHECK(assign(option, x, *value_from(option, text)).empty());
  }
}

TEST_CASE("every option has a meaning that is a sentence, and a unit where its name has one") {
  for (const auto& option : descriptors()) {
    CAPTURE(option.name());
    CHECK(option.meaning.ends_with('.'));
    if (option.key.ends_with("_ms") || option.key.ends_with("_ms_max"))
      CHECK(option.unit == "milliseconds");
    if (option.key.ends_with("_bytes") || option.key.ends_with("_bytes_max"))
      CHECK(option.unit == "bytes");
    if (option.key.ends_with("_hours"))
      CHECK(option.unit == "hours");
  }
}

TEST_CASE("the defaults are those of the architecture") {
  options x;
  CHECK(x.gateway.port == 8080);
  CHECK(x.cluster.port == 7411);
  CHECK(x.cluster.heartbeat_ms == 1'000);
  CHECK(x.cluster.suspect_ms == 3'000);
  CHECK(x.cluster.lost_ms == 10'000);
  CHECK(x.cluster.drain_ms == 30'000);
  CHECK(x.gateway.body_bytes_max == 64ull * 1024 * 1024);
  CHECK(x.gateway.wait_ms_max == 60'000);
  CHECK(x.orchestrator.pending_jobs_max == 100'000);
  CHECK(x.orchestrator.queue_timeout_ms == 120'000);
  CHECK(x.orchestrator.job_timeout_ms == 300'000);
  CHECK(x.orchestrator.retry_attempts_max == 3);
  CHECK(x.orchestrator.priority_age_ms == 30'000);
  CHECK(x.orchestrator.job_retention_hours == 7 * 24);
  CHECK(x.store.map_bytes == 64ull * 1024 * 1024 * 1024);
  CHECK(x.node.queue_max == 1'024);
  CHECK(x.node.cache_bytes == 50'000'000'000);
  CHECK(x.agent.timeout_ms == 120'000);
  CHECK(x.agent.memory_bytes == 4ull * 1024 * 1024 * 1024);
  CHECK(x.agent.cancel_grace_ms == 2'000);
  CHECK(x.supervision.restarts_max == 5);
  CHECK(x.supervision.restarts_window_ms == 60'000);
  CHECK(x.supervision.stuck_ms == 10'000);
  CHECK(x.reputation.lost == -20);
}

TEST_CASE("texts and numbers are read, and what is none is refused") {
  const auto& port = *find_descriptor("gateway", "port");
  CHECK(std::get<std::int64_t>(*value_from(port, "8_080")) == 8080);
  CHECK(std::get<std::int64_t>(*value_from(port, "-1")) == -1);
  for (auto text : {"", "x", "80x", "8.5", "1__0", "_1", "1_", "-_1", "99999999999999999999", " 1",
                    "+1"}) {
    CAPTURE(text);
    CHECK(!value_from(port, text));
  }
  const auto& sync = *find_descriptor("store", "sync");
  CHECK(std::get<bool>(*value_from(sync, "false")) == false);
  CHECK(!value_from(sync, "no"));
  const auto& devices = *find_descriptor("node", "devices");
  CHECK(std::get<std::vector<std::string>>(*value_from(devices, "cpu:0,cuda:1"))
        == std::vector<std::string>{"cpu:0", "cuda:1"});
  CHECK(std::get<std::vector<std::string>>(*value_from(devices, "")).empty());
}
