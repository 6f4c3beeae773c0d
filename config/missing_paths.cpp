#include "config/missing_paths.hpp"

#include <filesystem>
#include <system_error>

#include <unistd.h>

namespace dim::config {

namespace {

bool is_folder(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error);
}

bool is_program(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error) && ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::vector<std::string> missing_paths(const options& x) {
  std::vector<std::string> result;
  const bool is_node = has_role(x, "node");
  const bool is_orchestrator = has_role(x, "orchestrator");
  if ((is_node || is_orchestrator) && !is_program(x.agent.program))
    result.push_back("agent.program: expected a program, got \"" + x.agent.program + "\"");
  const auto usual_cabinets = std::filesystem::path{x.cluster.data_dir} / "cabinets";
  if (is_node && x.node.cabinets_dir != usual_cabinets.string()
      && !is_folder(x.node.cabinets_dir))
    result.push_back("node.cabinets_dir: expected a folder, got \"" + x.node.cabinets_dir + "\"");
  const auto records = std::filesystem::absolute(x.router.record_file).parent_path();
  if (is_orchestrator && !is_folder(records))
    result.push_back("router.record_file: expected a file in a folder that is there, got \""
                     + x.router.record_file + "\"");
  return result;
}

}  // namespace dim::config
