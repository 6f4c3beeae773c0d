#include "runtime/stored_value.hpp"

#include <algorithm>
#include <cstdint>

#include <boost/crc.hpp>

namespace dim::runtime {

namespace {

using crc32c = boost::crc_optimal<32, 0x1edc6f41, 0xffffffff, 0xffffffff, true, true>;

}  // namespace

value_sum sum_of(std::string_view key, std::string_view value) {
  crc32c sum;
  sum.process_bytes(key.data(), key.size());
  sum.process_bytes(value.data(), value.size());
  const std::uint32_t number = sum.checksum();
  return {static_cast<char>(number), static_cast<char>(number >> 8),
          static_cast<char>(number >> 16), static_cast<char>(number >> 24)};
}

std::optional<std::string_view> checked_value(std::string_view key, std::string_view stored) {
  if (stored.size() < value_sum{}.size())
    return std::nullopt;
  const auto value = stored.substr(value_sum{}.size());
  const auto sum = sum_of(key, value);
  if (!std::equal(sum.begin(), sum.end(), stored.begin()))
    return std::nullopt;
  return value;
}

}  // namespace dim::runtime
