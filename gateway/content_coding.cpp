#include "gateway/content_coding.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include <zlib.h>

namespace dim::gateway {

namespace {

using runtime::error_code;

/// zlib's window size, and what it adds for the header and the trailer of gzip.
constexpr int window_bits = 15;
constexpr int gzip_wrapping = 16;
constexpr std::size_t output_step = 64 << 10;
/// A step of the library's 32-bit counters.
constexpr std::size_t input_max = 1 << 30;
/// simdjson reads this far beyond a text; room for it spares a copy of the body.
constexpr std::size_t parser_padding = 64;

int window_of(content_coding coding) {
  return coding == content_coding::gzip ? window_bits + gzip_wrapping : window_bits;
}

std::string_view name_of(content_coding coding) {
  return coding == content_coding::gzip ? "gzip" : "deflate";
}

std::string_view trimmed(std::string_view text) {
  auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos)
    return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// Cuts the part before `separator` off `text`, without the blanks around it.
std::string_view next_part(std::string_view& text, char separator) {
  auto end = text.find(separator);
  auto part = trimmed(text.substr(0, end));
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

bool same_word(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](char a, char b) {
    auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(a) == lower(b);
  });
}

/// "q=0.5" in thousandths; 1000 when there is none, 0 when it can not be read.
int quality_of(std::string_view parameters) {
  while (!parameters.empty()) {
    auto part = next_part(parameters, ';');
    if (part.size() < 3 || !same_word(part.substr(0, 2), "q="))
      continue;
    auto text = part.substr(2);
    double value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || !(value >= 0 && value <= 1))
      return 0;
    return static_cast<int>(value * 1000);
  }
  return 1000;
}

/// One run of zlib's inflate, with its memory.
class inflater {
public:
  explicit inflater(content_coding coding) {
    is_open_ = inflateInit2(&stream_, window_of(coding)) == Z_OK;
  }
  ~inflater() {
    if (is_open_)
      inflateEnd(&stream_);
  }
  inflater(const inflater&) = delete;
  inflater& operator=(const inflater&) = delete;

  runtime::expected<runtime::bytes> run(std::string_view body, std::uint64_t bytes_max);

private:
  z_stream stream_ = {};
  bool is_open_ = false;
};

runtime::expected<runtime::bytes> inflater::run(std::string_view body, std::uint64_t bytes_max) {
  auto broken = runtime::fail(error_code::bad_input, "the compressed body can not be read");
  std::vector<char> data;
  std::size_t size = 0;
  auto status = is_open_ ? Z_OK : Z_MEM_ERROR;
  // A gzip body may be several, one after the other.
  while (status == Z_OK || (status == Z_STREAM_END && (stream_.avail_in > 0 || !body.empty()))) {
    if (status == Z_STREAM_END && inflateReset(&stream_) != Z_OK)
      return broken;
    if (stream_.avail_in == 0) {
      auto part = body.substr(0, input_max);
      body.remove_prefix(part.size());
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(part.data()));
      stream_.avail_in = static_cast<uInt>(part.size());
    }
    if (data.size() < size + output_step)
      data.resize(std::max(data.size() * 2, output_step));
    auto room = std::min<std::size_t>(data.size() - size, input_max);
    stream_.next_out = reinterpret_cast<Bytef*>(data.data() + size);
    stream_.avail_out = static_cast<uInt>(room);
    status = inflate(&stream_, Z_NO_FLUSH);
    size += room - stream_.avail_out;
    if (size > bytes_max)
      return runtime::fail(error_code::too_large, "the decompressed body is larger than "
                                                    + std::to_string(bytes_max) + " bytes");
  }
  if (status != Z_STREAM_END)
    return broken;
  data.resize(size);
  data.reserve(size + parser_padding);
  return runtime::bytes{std::move(data)};
}

/// Feeds `part` to `stream`; what comes out goes to the end of `out`.
void deflate_part(z_stream& stream, std::string_view part, int flush, std::string& out) {
  do {
    auto piece = part.substr(0, input_max);
    part.remove_prefix(piece.size());
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
    stream.avail_in = static_cast<uInt>(piece.size());
    auto mode = part.empty() ? flush : Z_NO_FLUSH;
    do {
      auto size = out.size();
      out.resize(size + output_step);
      stream.next_out = reinterpret_cast<Bytef*>(out.data() + size);
      stream.avail_out = output_step;
      deflate(&stream, mode);
      out.resize(size + output_step - stream.avail_out);
    } while (stream.avail_out == 0);
  } while (!part.empty());
}

}  // namespace

std::optional<content_coding> coding_named(std::string_view field) {
  field = trimmed(field);
  if (field.empty() || same_word(field, "identity"))
    return content_coding::identity;
  if (same_word(field, "gzip") || same_word(field, "x-gzip"))
    return content_coding::gzip;
  if (same_word(field, "deflate"))
    return content_coding::deflate;
  return std::nullopt;
}

content_coding preferred_coding(std::string_view field) {
  constexpr int unnamed = -1;
  std::array<int, 3> quality{unnamed, unnamed, unnamed};
  auto any = unnamed;
  while (!field.empty()) {
    auto entry = next_part(field, ',');
    auto name = next_part(entry, ';');
    if (name.empty())
      continue;
    if (name == "*")
      any = quality_of(entry);
    else if (auto coding = coding_named(name))
      quality[static_cast<std::size_t>(*coding)] = quality_of(entry);
  }
  auto of = [&](content_coding coding, int otherwise) {
    auto known = quality[static_cast<std::size_t>(coding)];
    return known != unnamed ? known : any != unnamed ? any : otherwise;
  };
  // Whoever names a coding wants it rather than none, unless none is named with more.
  auto plain = quality[static_cast<std::size_t>(content_coding::identity)];
  auto gzip = of(content_coding::gzip, 0);
  auto deflate = of(content_coding::deflate, 0);
  auto best = std::max(gzip, deflate);
  if (best == 0 || plain > best)
    return content_coding::identity;
  return gzip >= deflate ? content_coding::gzip : content_coding::deflate;
}

runtime::expected<runtime::bytes> decode_body(content_coding coding, std::string_view body,
                                              std::uint64_t bytes_max) {
  return inflater{coding}.run(body, bytes_max);
}

void encode_reply(content_coding coding, http_reply& reply) {
  if (coding == content_coding::identity || reply.content_length() == 0)
    return;
  z_stream stream = {};
  constexpr int memory_level = 8;
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, window_of(coding), memory_level,
                   Z_DEFAULT_STRATEGY)
      != Z_OK)
    return;
  std::string packed;
  deflate_part(stream, reply.body, Z_NO_FLUSH, packed);
  for (auto& each : reply.tail)
    deflate_part(stream, each.view(), Z_NO_FLUSH, packed);
  deflate_part(stream, {}, Z_FINISH, packed);
  deflateEnd(&stream);
  reply.body = std::move(packed);
  reply.tail.clear();
  reply.headers.emplace_back("Content-Encoding", name_of(coding));
  reply.headers.emplace_back("Vary", "Accept-Encoding");
}

}  // namespace dim::gateway
