#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "models/agreement.hpp"

/// Consensus over answers that agree pairwise within a tolerance. Agreement is not transitive (a
/// may agree with b, and b with c, but not a with c), so the answers are no classes but a graph.
namespace dim::actors {

/// The answer that the most others support.
struct quorum {
  /// Its index, in the order in which the answers were added.
  std::size_t canonical = 0;
  /// How many answers agree with it, itself included; 0 when there is no answer.
  std::size_t support = 0;
  /// By index: whether the answer is within tolerance of the canonical one.
  std::vector<bool> agrees;
};

/// The answers of one job and how each compares with each other one.
class agreement_graph {
public:
  /// Compares the answers at two indices; must be symmetric. It is not called for answers of equal
  /// digests, which agree.
  using comparator = std::function<models::agreement(std::size_t, std::size_t)>;

  /// Adds an answer, comparing it with every digest that was there before, once each.
  void add(std::string digest, const comparator& compare);

  std::size_t size() const noexcept {
    return digests_.size();
  }

  /// The index of the first answer with this digest; `size()` when there is none.
  std::size_t first_with(const std::string& digest) const noexcept;

  /// How two answers compare; of one with itself: equal.
  const models::agreement& compared(std::size_t one, std::size_t other) const {
    return compared_[one][other];
  }

  /// The answer with the greatest support; of equal ones that with the least sum of distances to
  /// those that agree with it (the medoid), then the lowest digest, then the first.
  quorum find() const;

private:
  std::size_t support_of(std::size_t index) const;
  double distance_sum(std::size_t index) const;

  std::vector<std::string> digests_;
  /// Symmetric, one row an answer.
  std::vector<std::vector<models::agreement>> compared_;
};

}  // namespace dim::actors
