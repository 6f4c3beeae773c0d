#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// How values are written for people.
namespace dim::tools {

/// `text` with '?' for each control character, so that nothing that a server or a file says can
/// move the cursor, and for each byte that is not UTF-8.
std::string cleaned(std::string_view text);

/// Columns that clean `text` takes on a terminal.
std::size_t columns_of(std::string_view text);

/// Clean `text` cut to at most `width` columns, with "…" at its end where something is missing.
std::string cut(std::string_view text, std::size_t width);

/// "512 B", "1.5 KiB", "4.0 GiB".
std::string size_text(std::uint64_t bytes);

/// "12 ms", "1.5 s", "3 min 20 s", "5 h 3 min", "2 d 4 h".
std::string duration_text(std::int64_t milliseconds);

/// Milliseconds since the Unix epoch of "2025-11-20T15:04:05.123Z"; 0 for anything else.
std::int64_t milliseconds_of(std::string_view time);

/// "2025-11-20 15:04:05" for "2025-11-20T15:04:05.123Z", with its milliseconds when `is_exact`;
/// anything else stays as it is.
std::string time_text(std::string_view time, bool is_exact = false);

/// What is shown of an id at the least: the first 13 characters of a UUID of version 7 are its time
/// in milliseconds.
constexpr std::size_t id_length_min = 13;

/// For each id its shortest beginning, of `id_length_min` characters or more, that no other of them
/// shares.
std::vector<std::string> shortened(const std::vector<std::string>& ids);

/// One id for a sentence.
std::string shortened(std::string_view id);

}  // namespace dim::tools
