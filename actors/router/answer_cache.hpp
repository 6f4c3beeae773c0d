#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>

#include "actors/store/model_messages.hpp"
#include "models/tensor.hpp"

namespace dim::actors {

/// Answers of models with `response_cache`, by what they are the answers to. The least recently
/// used go when there is no room. Pure; not safe for threads.
class answer_cache {
public:
  /// `bytes_max`: tensors' bytes of all answers together; 0 keeps nothing.
  explicit answer_cache(std::uint64_t bytes_max = 0);

  /// Names the answer of these versions (`served_table::answered_by`) to these inputs, in any
  /// order.
  static std::string key_of(const std::string& versions, const models::tensor_list& inputs);

  /// The outputs that are kept for `key`; null when there are none. Valid until the next `put`.
  const models::tensor_list* find(const std::string& key);

  /// Keeps `outputs` by reference. One that is larger than the whole cache is not kept.
  void put(const std::string& key, models::tensor_list outputs);

  bool keeps_anything() const noexcept {
    return bytes_max_ > 0;
  }
  std::uint64_t bytes() const noexcept {
    return bytes_;
  }
  std::size_t size() const noexcept {
    return answers_.size();
  }

private:
  struct answer {
    std::string key;
    models::tensor_list outputs;
    std::uint64_t bytes = 0;
  };
  using answers = std::list<answer>;

  void drop(answers::iterator position);

  std::uint64_t bytes_max_;
  std::uint64_t bytes_ = 0;
  /// The most recently used first.
  answers answers_;
  std::unordered_map<std::string, answers::iterator> places_;
};

}  // namespace dim::actors
