#include "gateway/tensor_json_reader.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <set>
#include <type_traits>

#include "gateway/json_element.hpp"
#include "gateway/names.hpp"
#include "models/numbers.hpp"

namespace dim::gateway {

namespace {

using models::datatype;
using simdjson::SUCCESS;

constexpr std::size_t tensors_max = 1024;
constexpr std::int64_t dimension_max = std::int64_t{1} << 62;

std::uint64_t saturating_product(std::uint64_t left, std::uint64_t right) {
  std::uint64_t result = 0;
  if (__builtin_mul_overflow(left, right, &result))
    return std::numeric_limits<std::uint64_t>::max();
  return result;
}

/// Puts the elements of one fixed-size type into `data`. Beyond `room` elements it only counts.
template <class T>
class number_sink {
public:
  explicit number_sink(std::uint64_t room) : data(room * sizeof(T)), room_(room) {
  }

  bool put(json_value value) {
    T element{};
    if (!read_element(value, element))
      return false;
    if (count_ < room_)
      std::memcpy(data.data() + count_ * sizeof(T), &element, sizeof(T));
    ++count_;
    return true;
  }

  static std::string wanted() {
    return words_for_element<T>();
  }

  std::vector<char> data;

private:
  std::uint64_t room_;
  std::uint64_t count_ = 0;
};

/// Puts strings into `data`, each behind its 32-bit little-endian length.
class text_sink {
public:
  bool put(json_value value) {
    std::string_view text;
    if (value.get_string().get(text) != SUCCESS)
      return false;
    auto length = static_cast<std::uint32_t>(text.size());
    for (int shift = 0; shift < 32; shift += 8)
      data.push_back(static_cast<char>((length >> shift) & 0xff));
    data.insert(data.end(), text.begin(), text.end());
    return true;
  }

  static std::string wanted() {
    return "a string";
  }

  std::vector<char> data;
};

/// Reads the `data` of one tensor into a sink, level by level of its nesting.
template <class Sink>
class data_reader {
public:
  data_reader(json_reader& reader, const std::vector<std::int64_t>& shape, Sink& sink)
    : reader_(reader), shape_(shape), sink_(sink), elements_below_(shape.size() + 1, 1) {
    for (auto level = shape.size(); level > 0; --level)
      elements_below_[level - 1] =
        saturating_product(elements_below_[level], static_cast<std::uint64_t>(shape[level - 1]));
  }

  /// Reads the array that holds the dimensions from `level` on.
  void read_level(json_value value, const json_path& path, std::size_t level) {
    std::uint64_t singles = 0;
    std::uint64_t arrays = 0;
    reader_.read_array(value, path, [&](json_value element, const json_path& here) {
      if (!json_reader::is_array(element)) {
        ++singles;
        if (!sink_.put(element))
          reader_.problems().add_mismatch(here, Sink::wanted(), json_reader::words_for(element));
        return;
      }
      ++arrays;
      if (level + 1 < shape_.size())
        read_level(element, here, level + 1);
      else
        reader_.problems().add(here, "nested deeper than the shape");
    });
    if (!reader_.is_broken())
      check_count(path, level, singles, arrays);
  }

private:
  void check_count(const json_path& path, std::size_t level, std::uint64_t singles,
                   std::uint64_t arrays) {
    auto& problems = reader_.problems();
    if (arrays > 0 && singles > 0) {
      problems.add(path, "mixes arrays and single elements");
    } else if (arrays > 0 && level + 1 < shape_.size()) {
      if (arrays != static_cast<std::uint64_t>(shape_[level]))
        problems.add_mismatch(path, std::to_string(shape_[level]) + " arrays",
                              std::to_string(arrays));
    } else if (arrays == 0 && singles != elements_below_[level]) {
      problems.add_mismatch(path, std::to_string(elements_below_[level]) + " elements",
                            std::to_string(singles));
    }
  }

  json_reader& reader_;
  const std::vector<std::int64_t>& shape_;
  Sink& sink_;
  /// The number of elements in the dimensions from each level on.
  std::vector<std::uint64_t> elements_below_;
};

template <class Sink>
std::vector<char> fill(json_reader& reader, json_value value, const json_path& path,
                       const std::vector<std::int64_t>& shape, Sink sink) {
  data_reader<Sink>{reader, shape, sink}.read_level(value, path, 0);
  return std::move(sink.data);
}

std::vector<char> read_data(json_reader& reader, json_value value, const json_path& path,
                            datatype type, const std::vector<std::int64_t>& shape,
                            std::uint64_t count) {
  if (type == datatype::bytes)
    return fill(reader, value, path, shape, text_sink{});
  // A request with a problem is refused, so nothing needs to be kept; and no shape can make the
  // sink larger than the text could fill it.
  auto could_be_there = static_cast<std::uint64_t>(reader.document_size()) / 2 + 1;
  auto room = reader.problems().empty() ? std::min(count, could_be_there) : 0;
  std::vector<char> data;
  if (type == datatype::boolean)
    return fill(reader, value, path, shape, number_sink<bool>{room});
  models::visit_datatype(type, [&](const auto* tag) {
    using element = std::remove_const_t<std::remove_pointer_t<decltype(tag)>>;
    if constexpr (std::is_arithmetic_v<element>)
      data = fill(reader, value, path, shape, number_sink<element>{room});
  });
  return data;
}

/// What the members of a tensor say, before `data` can be read.
struct tensor_header {
  std::optional<std::string> name;
  std::optional<datatype> type;
  std::optional<std::vector<std::int64_t>> shape;
  std::optional<std::uint64_t> count;
  /// Where `data` stands among the members.
  std::optional<std::size_t> data_position;
};

void read_name(json_reader& reader, json_value value, const json_path& path,
               tensor_header& header) {
  header.name = reader.read_text(value, path, 255);
  if (header.name && !is_plain_name(*header.name))
    reader.problems().add_mismatch(path, plain_name_words, in_quotes(*header.name));
}

void read_type(json_reader& reader, json_value value, const json_path& path,
               tensor_header& header) {
  auto text = reader.read_text(value, path, 16);
  if (!text)
    return;
  auto type = models::datatype_from(*text);
  if (!type)
    reader.problems().add(path, "unknown datatype " + in_quotes(*text));
  else if (*type == datatype::fp16 || *type == datatype::bf16)
    reader.problems().add(path, *text + " can not be sent as JSON; use FP32");
  else
    header.type = type;
}

void read_shape(json_reader& reader, json_value value, const json_path& path, std::size_t rank_max,
                tensor_header& header) {
  std::vector<std::int64_t> shape;
  std::size_t rank = 0;
  auto problems_before = reader.problems().count();
  auto is_array = reader.read_array(value, path, [&](json_value entry, const json_path& here) {
    if (++rank > rank_max)
      return;
    if (auto dimension = reader.read_whole(entry, here, 0, dimension_max))
      shape.push_back(*dimension);
  });
  if (!is_array)
    return;
  if (rank > rank_max)
    reader.problems().add_mismatch(path, "at most " + std::to_string(rank_max) + " dimensions",
                                   std::to_string(rank));
  if (reader.problems().count() != problems_before)
    return;
  auto count = models::element_count(shape);
  if (!count) {
    reader.problems().add(path, count.error().message);
    return;
  }
  header.count = *count;
  header.shape = std::move(shape);
}

tensor_header read_header(json_reader& reader, json_object& object, const json_path& path,
                          std::size_t rank_max) {
  tensor_header header;
  std::set<std::string_view> given;
  auto read = [&](std::string_view key, json_value value, const json_path& here,
                  std::size_t position) {
    given.insert(key);
    if (key == "name")
      read_name(reader, value, here, header);
    else if (key == "datatype")
      read_type(reader, value, here, header);
    else if (key == "shape")
      read_shape(reader, value, here, rank_max, header);
    else if (key == "data")
      header.data_position = position;
    else
      reader.problems().add(here, "unknown member");
  };
  reader.each_member(object, path, read);
  if (reader.is_broken())
    return header;
  for (std::string_view name : {"name", "datatype", "shape"})
    if (!given.contains(name))
      reader.problems().add(path.member(name), "missing");
  if (!header.data_position && header.count.value_or(0) > 0)
    reader.problems().add(path.member("data"), "missing");
  return header;
}

std::optional<models::tensor> read_tensor(json_reader& reader, json_value value,
                                          const json_path& path, std::size_t rank_max) {
  json_object object;
  if (value.get_object().get(object) != SUCCESS) {
    reader.problems().add_mismatch(path, "an object", json_reader::words_for(value));
    return std::nullopt;
  }
  auto header = read_header(reader, object, path, rank_max);
  if (reader.is_broken() || !header.type || !header.shape)
    return std::nullopt;
  std::vector<char> data;
  if (header.data_position) {
    if (auto error = object.reset().error(); error != SUCCESS) {
      reader.note_broken(error);
      return std::nullopt;
    }
    std::size_t position = 0;
    for (auto found : object) {
      if (position++ != *header.data_position)
        continue;
      simdjson::ondemand::field member;
      if (auto error = std::move(found).get(member); error != SUCCESS)
        reader.note_broken(error);
      else
        data = read_data(reader, member.value(), path.member("data"), *header.type, *header.shape,
                         *header.count);
      break;
    }
  }
  if (!reader.problems().empty())
    return models::tensor{header.name.value_or(""), *header.type, {}, {}, {}, 0};
  return models::make_tensor(*header.name, *header.type, std::move(*header.shape), std::move(data));
}

}  // namespace

models::tensor_list read_tensors(json_reader& reader, json_value value, const json_path& path,
                                 std::size_t rank_max) {
  models::tensor_list tensors;
  std::map<std::string, std::size_t, std::less<>> first_with;
  std::size_t count = 0;
  auto is_array = reader.read_array(value, path, [&](json_value element, const json_path& here) {
    if (++count > tensors_max)
      return;
    auto tensor = read_tensor(reader, element, here, rank_max);
    if (!tensor)
      return;
    auto [first, is_new] = first_with.emplace(tensor->name, count - 1);
    if (!is_new && !tensor->name.empty())
      reader.problems().add(here.member("name"), "the same as of " + path.at(first->second).text());
    tensors.push_back(std::move(*tensor));
  });
  if (is_array && !reader.is_broken() && (count == 0 || count > tensors_max))
    reader.problems().add_mismatch(path, "1 to " + std::to_string(tensors_max) + " tensors",
                                   std::to_string(count));
  return tensors;
}

}  // namespace dim::gateway
