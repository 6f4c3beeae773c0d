// dim-agent: runs one model version on one device, for the node that starts it; or looks at a model
// file or at the machine's GPUs, for those who do not link LibTorch.
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>

#include "models/cuda_devices.hpp"
#include "models/disk_file.hpp"
#include "models/model.hpp"
#include "tools/agent/serve.hpp"

namespace {

using namespace dim;

constexpr std::uint64_t spec_bytes_max = 1 << 20;

int fail(const runtime::failure& reason) {
  for (auto& detail : reason.details)
    std::cerr << "dim-agent: " << detail << '\n';
  std::cerr << "dim-agent: " << reason.message << std::endl;
  return 1;
}

/// Exit status 0 when the file is a model that does what its configuration declares.
int verify(const std::string& model, const std::string& config) {
  auto text = models::read_text(config, spec_bytes_max);
  if (!text)
    return fail(text.error());
  auto spec = models::parse_model_spec(*text);
  if (!spec)
    return fail(spec.error());
  auto verified = models::verify_model_file(model, *spec);
  return verified ? 0 : fail(verified.error());
}

int describe_devices(const std::string& output) {
  auto text = models::to_text(models::discover_cuda());
  if (output.empty()) {
    std::cout << text << std::flush;
    return std::cout ? 0 : 1;
  }
  std::ofstream file{output, std::ios::binary};
  file << text << std::flush;
  return file ? 0 : fail({runtime::error_code::internal, "can not write " + output, {}});
}

int run(int argc, char** argv) {
  CLI::App app{"Runs one model version on one device, for the node that starts it."};
  tools::serve_options serving;
  std::string model;
  std::string config;
  std::string output;
  std::string label;
  auto* connect = app.add_option("--connect", serving.connect,
                                 "HOST:PORT of the node; the token is in DIM_AGENT_TOKEN");
  app.add_option("--dial-timeout-ms", serving.dial_timeout_ms, "For the dial, and for its answer");
  app.add_option("--heartbeat-ms", serving.heartbeat_ms, "Of the link, as the node has it");
  app.add_option("--lost-ms", serving.lost_ms, "Silence after which the node counts as gone");
  app.add_option("--spin-us", serving.spin_us, "How long threads look for work before they sleep");
  app.add_flag("--channel", serving.has_channel,
               "Descriptors 3, 4 and 5 are a channel in shared memory, over which the node asks");
  app.add_option("--label", label, "What it serves, for the list of processes");
  auto* check = app.add_option("--verify", model,
                               "Open this model file and exit: 0, or 1 with the reason");
  app.add_option("--spec", config, "The config.toml for --verify")->needs(check);
  bool is_listing = false;
  auto* describe =
    app.add_flag("--describe-devices", is_listing, "List the GPUs that LibTorch can use");
  app.add_option("--output", output, "Write the list to this file")->needs(describe);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    return app.exit(problem) == 0 ? 0 : 2;
  }
  if (*check)
    return verify(model, config);
  if (is_listing)
    return describe_devices(output);
  if (!*connect) {
    std::cerr << "dim-agent: one of --connect, --verify and --describe-devices is needed\n";
    return 2;
  }
  if (auto* token = std::getenv("DIM_AGENT_TOKEN"))
    serving.token = token;
  unsetenv("DIM_AGENT_TOKEN");
  // The node alone decides when its agents end, and drains before: a signal to the whole group must
  // not cut a forward short. It dies with the node, whatever becomes of the link.
  for (auto number : {SIGINT, SIGTERM, SIGHUP})
    signal(number, SIG_IGN);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  return tools::serve(serving);
}

}  // namespace

int main(int argc, char** argv) {
  auto status = run(argc, argv);
  std::cout.flush();
  // Threads of LibTorch and of the actor system may still run: nothing waits for them.
  _exit(status);
}
