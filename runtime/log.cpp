#include "runtime/log.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>

#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "runtime/log_line.hpp"

namespace dim::runtime {

namespace {

constexpr std::array<std::string_view, 6> level_names{"trace", "debug", "info",
                                                      "warn",  "error", "off"};

/// Where the lines of this process go.
struct log_target {
  std::shared_ptr<spdlog::logger> logger;
  std::string role;
  bool as_json = true;
};

std::atomic<log_levels> written{};
std::mutex target_mutex;
std::shared_ptr<const log_target> target;

std::shared_ptr<const log_target> present_target() {
  std::lock_guard guard{target_mutex};
  return target;
}

void replace_target(std::shared_ptr<const log_target> next) {
  std::lock_guard guard{target_mutex};
  target = std::move(next);
}

expected<log_level> parse_level(std::string_view name) {
  for (std::size_t index = 0; index < level_names.size(); ++index)
    if (level_names[index] == name)
      return static_cast<log_level>(index);
  return fail(error_code::bad_input, "unknown log level \"" + std::string{name} + "\"");
}

/// Of a level that is written.
spdlog::level::level_enum level_of(log_level level) {
  return static_cast<spdlog::level::level_enum>(level);
}

expected<spdlog::sink_ptr> make_sink(const std::string& file) {
  if (file.empty())
    return std::make_shared<spdlog::sinks::stderr_sink_mt>();
  try {
    return std::make_shared<spdlog::sinks::basic_file_sink_mt>(file);
  } catch (const spdlog::spdlog_ex& error) {
    return fail(error_code::unavailable, error.what());
  }
}

}  // namespace

std::string_view to_string(log_level level) noexcept {
  return level_names[static_cast<std::size_t>(level)];
}

expected<void> open_log(const config::log_options& options, std::string_view role) {
  auto level = parse_level(options.level);
  if (!level)
    return tl::unexpected(level.error());
  if (options.format != "json" && options.format != "text")
    return fail(error_code::bad_input, "unknown log format \"" + options.format + "\"");
  auto sink = make_sink(options.file);
  if (!sink)
    return tl::unexpected(sink.error());
  auto logger = std::make_shared<spdlog::logger>("dim", *sink);
  logger->set_pattern("%v");
  // What is not to be written does not get there.
  logger->set_level(spdlog::level::trace);
  logger->flush_on(spdlog::level::trace);
  replace_target(std::make_shared<log_target>(
    log_target{std::move(logger), std::string{role}, options.format == "json"}));
  written.store(log_levels::from(*level));
  return {};
}

log_levels written_log_levels() noexcept {
  return written.load();
}

void write_log_levels(log_levels levels) {
  if (present_target())
    written.store(levels);
}

void close_log() {
  written.store({});
  if (auto last = present_target())
    last->logger->flush();
  replace_target(nullptr);
}

bool is_logged(log_level level) noexcept {
  return written.load(std::memory_order_relaxed).has(level);
}

void log(log_level level, std::string_view actor, std::string_view message, log_fields fields) {
  if (!is_logged(level))
    return;
  auto to = present_target();
  if (!to)
    return;
  using namespace std::chrono;
  auto now = duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
  log_head head{now, level, to->role, actor, message};
  auto line = to->as_json ? json_line(head, fields) : text_line(head, fields);
  to->logger->log(level_of(level), spdlog::string_view_t{line.data(), line.size()});
}

}  // namespace dim::runtime
