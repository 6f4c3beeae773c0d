#pragma once

#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <string_view>

#include <caf/all.hpp>

#include "runtime/actor_table.hpp"

namespace dim::simulation {

/// What a run did, as one number: FNV-1a over every step. Two runs with the same number have done
/// the same. With a stream it also writes every step in words.
class trace {
public:
  void mix(std::uint64_t number) noexcept {
    for (int shift = 0; shift < 64; shift += 8)
      mix_byte(static_cast<unsigned char>(number >> shift));
  }
  void mix(std::string_view text) noexcept {
    for (auto letter : text)
      mix_byte(static_cast<unsigned char>(letter));
  }

  /// Mixes the type of the message by its name, since addresses differ from run to run.
  void mix_type(caf::actor_system& system, const caf::type_erased_tuple& content);

  /// The name of the type of a message's first element.
  const std::string& name_of(caf::actor_system& system, const caf::type_erased_tuple& content);

  std::uint64_t hash() const noexcept {
    return hash_;
  }

  /// Writes steps there from now on; null: nowhere.
  void write_to(std::ostream* out) noexcept {
    out_ = out;
  }
  bool is_written() const noexcept {
    return out_ != nullptr;
  }
  void line(std::int64_t now_us, const std::string& text);

private:
  struct type_mark {
    std::string name;
    std::uint64_t hash = 0;
  };
  const type_mark& mark_of(caf::actor_system& system, const caf::type_erased_tuple& content);

  void mix_byte(unsigned char byte) noexcept {
    hash_ = (hash_ ^ byte) * 1'099'511'628'211ull;
  }

  std::uint64_t hash_ = 14'695'981'039'346'656'037ull;
  std::map<runtime::message_type, type_mark> types_;
  std::ostream* out_ = nullptr;
};

}  // namespace dim::simulation
