#include "gateway/handlers/logging.hpp"

#include <mutex>
#include <optional>
#include <string>

#include "gateway/coded_exchange.hpp"
#include "gateway/inference/json_walker.hpp"
#include "runtime/log.hpp"

namespace dim::gateway {

namespace {

using runtime::log_level;
using json_value = json_walker::value_type;

/// The protocol's settings, as they were asked for.
struct log_settings {
  bool info = true;
  bool warning = true;
  bool error = true;
  /// 1: debug, 2 and more: trace.
  std::uint64_t verbose = 0;
  /// The log's times are ISO 8601 by default too.
  std::string format = "ISO8601";
};

log_settings settings_of(runtime::log_levels written) {
  log_settings result;
  result.info = written.has(log_level::info);
  result.warning = written.has(log_level::warn);
  result.error = written.has(log_level::error);
  result.verbose = written.has(log_level::trace) ? 2 : written.has(log_level::debug) ? 1 : 0;
  return result;
}

runtime::log_levels levels_of(const log_settings& settings) {
  runtime::log_levels result;
  result.put(log_level::error, settings.error);
  result.put(log_level::warn, settings.warning);
  result.put(log_level::info, settings.info);
  result.put(log_level::debug, settings.verbose >= 1);
  result.put(log_level::trace, settings.verbose >= 2);
  return result;
}

http_reply render(const std::string& file, const log_settings& settings) {
  json_writer out;
  out.begin_object();
  out.member("log_file", file);
  out.member("log_info", settings.info);
  out.member("log_warning", settings.warning);
  out.member("log_error", settings.error);
  out.member("log_verbose_level", settings.verbose);
  out.member("log_format", settings.format);
  out.end_object();
  return json_reply(out.take());
}

bool read_setting(json_walker& walker, std::string_view key, json_value value,
                  log_settings& settings) {
  constexpr std::uint64_t verbose_max = 1'000;
  if (key == "log_info")
    return walker.read_flag(value, key, settings.info);
  if (key == "log_warning")
    return walker.read_flag(value, key, settings.warning);
  if (key == "log_error")
    return walker.read_flag(value, key, settings.error);
  if (key == "log_verbose_level")
    return walker.read_count(value, key, verbose_max, settings.verbose);
  if (key == "log_file")
    return walker.refuse("log file location can not be updated through the network protocol");
  if (key != "log_format")
    return walker.refuse_at(key, "unknown log setting");
  auto& format = settings.format;
  return walker.read_text(value, key, format)
         && (format == "ISO8601" || format == "default"
             || walker.refuse_at(key, "expected \"ISO8601\" or \"default\""));
}

/// Keeps the settings, so that a change of one leaves the others as they were asked for. Any
/// thread.
class log_control {
public:
  explicit log_control(std::string file) : file_(std::move(file)) {
  }

  http_reply show() {
    std::lock_guard guard{mutex_};
    return render(file_, settings());
  }

  http_reply change(const runtime::bytes& body) {
    std::lock_guard guard{mutex_};
    auto wanted = settings();
    json_walker walker;
    auto is_read =
      body.empty()
      || walker.read_document(body, body.view(), [&](std::string_view key, json_value value) {
           return read_setting(walker, key, value, wanted);
         });
    if (!is_read)
      return failure_reply(walker.problem);
    runtime::write_log_levels(levels_of(wanted));
    asked_ = wanted;
    return render(file_, wanted);
  }

private:
  /// Until something has been asked for: those with which the log was opened.
  log_settings settings() const {
    return asked_ ? *asked_ : settings_of(runtime::written_log_levels());
  }

  const std::string file_;
  std::mutex mutex_;
  std::optional<log_settings> asked_;
};

}  // namespace

void add_logging_routes(router& routes, const handler_context& context,
                        const config::log_options& options) {
  auto control = std::make_shared<log_control>(options.file);
  auto show = [control](exchange_ptr exchange) { exchange->reply(control->show()); };
  auto change = [control](exchange_ptr exchange) {
    exchange->reply(control->change(exchange->request().body));
  };
  routes.add({"GET", "/v2/logging", show, body_mode::buffered, "logging"});
  routes.add({"POST", "/v2/logging", with_content_codings(change, context.body_bytes_max),
              body_mode::buffered, "logging"});
}

}  // namespace dim::gateway
