#include "runtime/log.hpp"

#include <map>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/gateway/gateway_fixture.hpp"
#include "tests/support/log_file.hpp"

namespace {

using namespace dim;
using namespace dim::tests;
using fixture = gateway_fixture;

TEST_CASE("log settings are shown, and wrong ones are refused") {
  fixture f;
  auto settings = f.get("/v2/logging");
  for (auto name :
       {"log_file", "log_info", "log_warning", "log_error", "log_verbose_level", "log_format"})
    CHECK(settings.contains(name));
  CHECK(f.ask("POST", "/v2/logging", {{"log_format", "ISO8601"}}).status == 200);
  for (const json& bad : {json{{"log_info", 1}}, json{{"log_file", "x"}}, json{{"colour", "x"}},
                          json{{"log_format", "x"}}, json{{"log_verbose_level", -1}}})
    CHECK(f.ask("POST", "/v2/logging", bad).status == 400);
}

TEST_CASE("a log setting that is changed leaves the others as they were asked for") {
  using runtime::log_level;
  using runtime::log_levels;
  const log_file log;
  fixture f;
  auto change = [&](const json& settings) {
    auto reply = f.ask("POST", "/v2/logging", settings);
    CHECK(reply.status == 200);
    auto shown = json::parse(reply.body);
    CHECK(f.get("/v2/logging") == shown);
    return shown;
  };
  auto all = f.get("/v2/logging");
  const auto from_info = log_levels::from(log_level::info);
  const std::map<std::string, log_level> levels{{"log_info", log_level::info},
                                                {"log_warning", log_level::warn},
                                                {"log_error", log_level::error}};
  for (const auto& [name, level] : levels) {
    CAPTURE(name);
    auto without = all;
    without[name] = false;
    CHECK(all[name] == true);
    CHECK(change({{name, false}}) == without);
    auto written = from_info;
    written.put(level, false);
    CHECK(runtime::written_log_levels() == written);
    CHECK(change({{name, true}}) == all);
    CHECK(runtime::written_log_levels() == from_info);
  }
  CHECK(change({{"log_verbose_level", 5}})["log_verbose_level"] == 5);
  CHECK(runtime::written_log_levels() == log_levels::from(log_level::trace));
  CHECK(change({{"log_format", "default"}})["log_format"] == "default");
  CHECK(f.ask("POST", "/v2/logging", {{"log_error", false}, {"log_info", 1}}).status == 400);
  CHECK(f.get("/v2/logging")["log_error"] == true);
}

}  // namespace
