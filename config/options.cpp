#include "config/options.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

#include <unistd.h>

namespace dim::config {

namespace {

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0')
    return "localhost";
  return name.data();
}

std::string beside_this_program(const char* name) {
  std::error_code error;
  auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::string{name} : (self.parent_path() / name).string();
}

void fill(std::string& value, std::string otherwise) {
  if (value.empty())
    value = std::move(otherwise);
}

}  // namespace

bool has_role(const options& x, const std::string& role) {
  const auto& roles = x.cluster.roles;
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

void resolve(options& x) {
  const std::filesystem::path data = x.cluster.data_dir;
  fill(x.cluster.port_file, (data / "ports.json").string());
  fill(x.node.name, host_name());
  fill(x.node.cabinets_dir, (data / "cabinets").string());
  fill(x.router.record_file, (data / "inference.log").string());
  fill(x.agent.program, beside_this_program("dim-agent"));
}

}  // namespace dim::config
