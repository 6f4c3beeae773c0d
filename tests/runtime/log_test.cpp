#include "runtime/log.hpp"

#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "runtime/log_line.hpp"
#include "tests/support/log_file.hpp"

using namespace dim;
using runtime::log_level;
using tests::log_file;

TEST_CASE("a line is one JSON object with time, level, role, actor, message and its fields") {
  runtime::log_head head{1'767'323'045'678, log_level::warn, "node", "LINK", "lost orchestrator"};
  auto line = nlohmann::json::parse(
    runtime::json_line(head, {{"node_id", "n1"}, {"generation", 4}, {"left", std::int64_t{-1}}}));
  CHECK(line["ts"] == "2026-01-02T03:04:05.678Z");
  CHECK(line["level"] == "warn");
  CHECK(line["role"] == "node");
  CHECK(line["actor"] == "LINK");
  CHECK(line["message"] == "lost orchestrator");
  CHECK(line["node_id"] == "n1");
  CHECK(line["generation"] == 4);
  CHECK(line["left"] == -1);
}

TEST_CASE("whatever bytes a field holds, the line is valid JSON and stays one line") {
  std::string all;
  for (int byte = 0; byte < 256; ++byte)
    all.push_back(static_cast<char>(byte));
  runtime::log_head head{0, log_level::error, "node", "A\n\"", all};
  auto text = runtime::json_line(head, {{"bytes", all}, {"quote\"", "\\"}});
  CHECK(text.find('\n') == std::string::npos);
  auto line = nlohmann::json::parse(text);
  CHECK(line["actor"] == "A\n\"");
  CHECK(line["quote\""] == "\\");
  auto terminal = runtime::text_line(head, {{"bytes", all}});
  CHECK(terminal.find('\n') == std::string::npos);
}

TEST_CASE("the text form names its fields and quotes only what needs it") {
  runtime::log_head head{0, log_level::info, "node", "LINK", "joined cluster"};
  CHECK(runtime::text_line(head, {{"id", "n1"}, {"why", "two words"}, {"n", 3}})
        == "1970-01-01T00:00:00.000Z info  node LINK joined cluster id=n1 why=\"two words\" n=3");
}

TEST_CASE("lines below the level are not written, others can be read at once") {
  log_file file;
  CHECK_FALSE(runtime::is_logged(log_level::debug));
  runtime::log(log_level::debug, "A", "never written");
  runtime::log(log_level::info, "A", "written first");
  CHECK(file.lines().size() == 1);
  runtime::log(log_level::error, "A", "written at once");
  auto lines = file.lines();
  REQUIRE(lines.size() == 2);
  CHECK(nlohmann::json::parse(lines[0])["message"] == "written first");
  CHECK(nlohmann::json::parse(lines[1])["role"] == "test");
}

TEST_CASE("each level can be switched off and on by itself") {
  log_file file;
  auto levels = runtime::written_log_levels();
  levels.put(log_level::warn, false);
  runtime::write_log_levels(levels);
  for (auto level : {log_level::debug, log_level::info, log_level::warn, log_level::error})
    runtime::log(level, "A", "written");
  levels.put(log_level::warn, true);
  levels.put(log_level::off, true);
  runtime::write_log_levels(levels);
  CHECK_FALSE(runtime::is_logged(log_level::off));
  runtime::log(log_level::warn, "A", "written");
  std::vector<std::string> seen;
  for (const auto& line : file.lines())
    seen.push_back(nlohmann::json::parse(line)["level"]);
  CHECK(seen == std::vector<std::string>{"info", "error", "warn"});
}

TEST_CASE("many threads write whole lines") {
  log_file file{"trace"};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread)
    threads.emplace_back([thread] {
      for (int index = 0; index < 250; ++index)
        runtime::log(log_level::trace, "A", "counted", {{"thread", thread}, {"index", index}});
    });
  for (auto& thread : threads)
    thread.join();
  runtime::close_log();
  auto lines = file.lines();
  CHECK(lines.size() == 1000);
  int sum = 0;
  for (auto& line : lines)
    sum += nlohmann::json::parse(line)["index"].get<int>();
  CHECK(sum == 4 * (249 * 250 / 2));
}

TEST_CASE("a wrong level, format or file is refused with words") {
  config::log_options options;
  options.level = "loud";
  CHECK(runtime::open_log(options, "test").error().message.find("loud") != std::string::npos);
  options.level = "info";
  options.format = "xml";
  CHECK(runtime::open_log(options, "test").error().code == runtime::error_code::bad_input);
  options.format = "json";
  options.file = "/dev/null/file.log";
  CHECK(runtime::open_log(options, "test").error().code == runtime::error_code::unavailable);
  CHECK_FALSE(runtime::is_logged(log_level::error));
}
