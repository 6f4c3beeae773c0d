#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/inference/json_walker.hpp"
#include "models/tensor.hpp"

namespace dim::gateway {

/// Reads the inputs of an inference request, one after the other, each from JSON or from the binary
/// bytes behind it. The functions return false when the walker's `problem` has been set.
class input_reader {
public:
  /// `text_size` is the length of the JSON; `binary` are the bytes behind it.
  input_reader(json_walker& walker, std::size_t text_size, std::string_view binary,
               std::string_view model)
    : walker_(walker), text_size_(text_size), binary_(binary), model_(model) {
  }

  /// Reads the next input into `inputs`.
  bool read(json_walker::value_type value);
  /// Whether all binary bytes have been used.
  bool finish();

  models::tensor_list inputs;

private:
  /// An input until all its members are known.
  struct open_input {
    std::string name;
    std::optional<models::datatype> type;
    std::optional<std::vector<std::int64_t>> shape;
    std::uint64_t count = 0;
    std::optional<runtime::bytes> data;
    std::optional<std::uint64_t> binary_size;
    /// Where `data` stands among the members, when that is before what says how to read it.
    std::optional<std::size_t> skipped_data;

    bool has_data() const {
      return data || skipped_data;
    }
  };

  bool read_member(std::string_view key, json_walker::value_type value, std::size_t position,
                   open_input& input);
  bool read_parameter(std::string_view key, json_walker::value_type value, open_input& input);
  bool read_type(json_walker::value_type value, open_input& input);
  bool read_shape(json_walker::value_type value, open_input& input);
  bool read_data(json_walker::value_type value, open_input& input);
  bool read_skipped_data(json_walker::object_type& object, open_input& input);
  bool check_members(const open_input& input);
  bool take_binary(open_input& input);
  bool check_binary(const open_input& input);
  bool refuse(std::string_view before, const open_input& input, std::string_view after);

  json_walker& walker_;
  std::size_t text_size_;
  std::string_view binary_;
  std::string_view model_;
};

/// Refuses the shared-memory parameters of inputs and outputs as unsupported; true for any other.
bool refuse_shared_memory(json_walker& walker, std::string_view key);

}  // namespace dim::gateway
