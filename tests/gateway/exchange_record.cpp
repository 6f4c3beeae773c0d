#include "tests/gateway/exchange_record.hpp"

#include <cstdlib>
#include <fstream>

namespace dim::tests {

void record_exchange(std::string_view request, const raw_reply& reply) {
  const char* path = std::getenv("DIM_EXCHANGES");
  if (path == nullptr)
    return;
  std::string fields;
  for (auto& [name, value] : reply.headers)
    fields += name + ": " + value + "\r\n";
  std::ofstream file{path, std::ios::app | std::ios::binary};
  file << request.size() << ' ' << reply.status << ' ' << fields.size() << ' '
       << reply.body.size() << '\n'
       << request << fields << reply.body;
}

}  // namespace dim::tests
