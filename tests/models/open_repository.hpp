#pragma once

#include <filesystem>
#include <utility>

#include <doctest/doctest.h>

#include "models/repository.hpp"

namespace dim::tests {

/// A repository of small files, with room for three uploads.
inline models::repository open_at(const std::filesystem::path& folder) {
  auto opened = models::repository::open({folder, 1 << 20, 3});
  REQUIRE(opened.has_value());
  return std::move(*opened);
}

}  // namespace dim::tests
