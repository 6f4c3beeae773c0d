#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace dim::tools {

/// JSON as it came: members keep their order, because `--json` prints what the gateway said.
using json = nlohmann::ordered_json;

/// The member `key` of `x`, or null when `x` is no object or has no such member.
const json& member_of(const json& x, const std::string& key);

/// The text of a string; "" for null, "yes" or "no" for a flag, JSON for anything else.
std::string text_of(const json& x);

/// `text_of` the member `key`.
std::string text_at(const json& x, const std::string& key);

/// The member `key` as a whole number, or `otherwise`.
std::int64_t number_at(const json& x, const std::string& key, std::int64_t otherwise = 0);

/// The entries of the array `key`; none when it is no array.
std::vector<json> list_at(const json& x, const std::string& key);

/// JSON for programs: two columns of indentation a level, invalid UTF-8 replaced.
std::string pretty(const json& x);

}  // namespace dim::tools
