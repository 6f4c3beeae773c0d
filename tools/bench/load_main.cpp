// dim-load: one request over and over against an HTTP server; prints one JSON object.
#include <fstream>
#include <iostream>
#include <iterator>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "tools/bench/steady_load.hpp"

int main(int argc, char** argv) {
  dim::tools::load_options options;
  double seconds = 2;
  std::string target, body_file, headers;
  CLI::App app{"Sends one request over and over: dim-load --port 8080 --target /... --body FILE"};
  app.add_option("--host", options.host, "numeric address of the server");
  app.add_option("--port", options.port, "port of the server")->required();
  app.add_option("--target", target, "path of the request")->required();
  app.add_option("--body", body_file, "file with the body; it is posted")->required();
  app.add_option("--header", headers, "a header line without its end");
  app.add_option("--connections", options.connections, "connections at the same time");
  app.add_option("--seconds", seconds, "length of the run");
  CLI11_PARSE(app, argc, argv);
  options.duration = std::chrono::milliseconds{static_cast<std::int64_t>(seconds * 1'000)};
  std::ifstream file{body_file, std::ios::binary};
  std::string body{std::istreambuf_iterator<char>{file}, {}};
  if (!headers.empty())
    headers += "\r\n";
  auto request = dim::tools::make_request("POST", target, body, headers);
  auto load = dim::tools::run_steady_load(options, request);
  nlohmann::json result{{"connections", options.connections},
                        {"requests_per_s", load.per_second()},
                        {"p50_us", load.quantile_us(0.5)},
                        {"p99_us", load.quantile_us(0.99)},
                        {"answered", load.answered},
                        {"errors", load.errors}};
  std::cout << result.dump() << std::endl;
  return load.errors == 0 && load.answered > 0 ? 0 : 1;
}
