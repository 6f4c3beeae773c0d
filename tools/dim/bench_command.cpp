#include <charconv>
#include <cmath>
#include <fstream>
#include <memory>

#include <CLI/CLI.hpp>

#include "tools/dim/bench_picture.hpp"
#include "tools/dim/bench_report.hpp"
#include "tools/dim/bench_request.hpp"
#include "tools/dim/commands.hpp"
#include "tools/dim/option_checks.hpp"
#include "tools/dim/progress_bar.hpp"

namespace dim::tools {

namespace {

struct bench_options {
  bench_wish wish;
  load_options load;
  double seconds = 10;
  double warm_up_seconds = 2;
  std::string picture_file;
};

std::chrono::milliseconds milliseconds_of(double seconds) {
  return std::chrono::milliseconds{std::llround(seconds * 1'000)};
}

/// The whole request, to the gateway of `with`.
std::string request_to(const session& with, const bench_wish& wish, const bench_request& request) {
  std::string headers = "Host: " + with.gateway().authority() + "\r\n";
  if (wish.is_binary)
    headers += "Content-Type: application/octet-stream\r\nInference-Header-Content-Length: "
               + std::to_string(request.json_bytes) + "\r\n";
  else
    headers += "Content-Type: application/json\r\n";
  return "POST " + with.gateway().base + model_path(wish) + "/infer HTTP/1.1\r\n" + headers
         + "Content-Length: " + std::to_string(request.body.size()) + "\r\n\r\n" + request.body;
}

outcome<load_result> run_against(session& with, const bench_options& options,
                                 const std::string& request) {
  auto load = options.load;
  load.host = with.gateway().host;
  const auto& port = with.gateway().port;
  auto [end, problem] = std::from_chars(port.data(), port.data() + port.size(), load.port);
  if (problem != std::errc{} || end != port.data() + port.size())
    return fail(exit_status::usage, "the port '" + port + "' is no number");
  load.warm_up = milliseconds_of(options.warm_up_seconds);
  load.duration = milliseconds_of(options.seconds);
  const request_text same{request};
  return run_load(
    load, [&](std::uint64_t, const answer&) { return same; },
    [](const answer& reply) { return reply.status == 200; });
}

command_failure can_not_write(const std::string& file) {
  return {exit_status::usage, "--svg: can not write " + file, "", {}};
}

/// Whether the picture can be written when the run is over; makes the file where there is none.
bool is_writable(const std::string& file) {
  return std::ofstream{file, std::ios::app}.is_open();
}

int finish(session& with, const bench_options& options, const bench_outcome& run) {
  if (with.is_json())
    with.io().out << pretty(bench_json(run));
  else
    print_bench(with.io(), run);
  with.io().out << std::flush;
  if (!options.picture_file.empty()) {
    std::ofstream file{options.picture_file};
    file << latency_picture(run.load.latencies, bench_title(run));
    if (!file.flush())
      return report(with.io(), can_not_write(options.picture_file));
  }
  auto is_good = run.load.errors == 0 && run.load.answered > 0;
  return static_cast<int>(is_good ? exit_status::done : exit_status::failed);
}

int bench(session& with, const bench_options& options) {
  auto metadata = with.get(target{model_path(options.wish)});
  if (!metadata)
    return report(with.io(), metadata.error());
  auto request = make_bench_request(*metadata, options.wish);
  if (!request)
    return report(with.io(), request.error());
  if (!options.picture_file.empty() && !is_writable(options.picture_file))
    return report(with.io(), can_not_write(options.picture_file));
  progress_bar bar{with.io()};
  bar.draw(0, "running for "
                + std::to_string(std::llround(options.warm_up_seconds + options.seconds)) + " s");
  auto load = run_against(with, options, request_to(with, options.wish, *request));
  bar.clear();
  if (!load)
    return report(with.io(), load.error());
  bench_outcome run{options.wish.model,     options.load.connections, options.load.rate,
                    options.wish.is_binary, request->rows,            request->body.size(),
                    std::move(*load)};
  return finish(with, options, run);
}

void add_options(CLI::App& added, bench_options& options) {
  added.add_option("model", options.wish.model, "MODEL[:VERSION]")
    ->required()
    ->check(not_empty());
  added.add_option("--connections", options.load.connections, "Open at the same time")
    ->check(CLI::Range(1, 65'535));
  added
    .add_option("--rate", options.load.rate,
                "Requests a second, sent when they are due; without it, the next as soon as the "
                "answer is here")
    ->check(above_zero());
  added.add_option("--seconds", options.seconds, "Length of the run; 10 when not given")
    ->check(above_zero());
  added.add_option("--warm-up", options.warm_up_seconds,
                   "Seconds before it that are not counted; 2 when not given")
    ->check(not_negative());
  added.add_option("--batch", options.wish.batch, "Rows of a request; 1 when not given")
    ->check(above_zero());
  added.add_option("--size", options.wish.size,
                   "For other dimensions that the model leaves open; 1 when not given")
    ->check(above_zero());
  added.add_option("--shape", options.wish.shapes, "NAME=2x64: the shape of one input")
    ->allow_extra_args(false);
  added.add_flag("--binary", options.wish.is_binary, "Tensors as bytes behind the JSON");
  added.add_option("--seed", options.wish.seed, "Of the values that are sent");
  added.add_option("--svg", options.picture_file, "Draws the latencies into this file");
}

}  // namespace

void add_bench(CLI::App& app, command& chosen) {
  auto* added = app.add_subcommand("bench", "Load a model and measure its answers");
  const auto options = std::make_shared<bench_options>();
  options->load.connections = 8;
  add_options(*added, *options);
  added->callback([options, &chosen] {
    chosen = [options](session& with) { return bench(with, *options); };
  });
}

}  // namespace dim::tools
