#include "tools/dimd/port_file.hpp"

#include <cerrno>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

#include <unistd.h>

#include <nlohmann/json.hpp>

namespace dim::tools {

namespace {

std::string text_of(const ports_in_use& ports) {
  const nlohmann::json content{
    {"pid", ::getpid()}, {"cluster", ports.cluster}, {"gateway", ports.gateway}};
  return content.dump() + "\n";
}

/// A disk that is full may say so only when the file is closed.
std::error_code write_whole(const std::filesystem::path& file, const std::string& text) {
  errno = 0;
  std::ofstream output{file};
  output << text;
  output.close();
  if (output)
    return {};
  return {errno != 0 ? errno : EIO, std::generic_category()};
}

}  // namespace

runtime::expected<void> write_port_file(const std::filesystem::path& file,
                                        const ports_in_use& ports) {
  auto temporary = file;
  temporary += ".new";
  auto problem = write_whole(temporary, text_of(ports));
  if (!problem)
    std::filesystem::rename(temporary, file, problem);
  if (!problem)
    return {};
  std::error_code ignored;
  std::filesystem::remove(temporary, ignored);
  return runtime::fail(runtime::error_code::unavailable,
                       "cluster.port_file: can not write " + file.string() + ": "
                         + problem.message());
}

void remove_port_file(const std::filesystem::path& file, const ports_in_use& ports) {
  std::ifstream input{file};
  const std::string found{std::istreambuf_iterator<char>{input}, {}};
  if (found != text_of(ports))
    return;
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
}

}  // namespace dim::tools
