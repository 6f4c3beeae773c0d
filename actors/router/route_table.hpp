#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/random_source.hpp"
#include "runtime/shared_text.hpp"

/// Which node a direct inference goes to. Pure: no actor, no clock.
namespace dim::actors {

/// How one is chosen among the nodes that serve a version:
///
/// - `least_outstanding`: the one with the fewest requests under way for what it is worth;
/// - `round_robin`: each in turn;
/// - `weighted`: in turn, but as often as it is worth;
/// - `random`: any, with equal chances;
/// - `power_of_two`: the better, as by `least_outstanding`, of two that are drawn.
///
/// What a node is worth is its slots times its reputation.
enum class balance_strategy : std::uint8_t {
  least_outstanding,
  round_robin,
  weighted,
  random,
  power_of_two
};

/// The strategy with this name; `least_outstanding` when there is none.
balance_strategy balance_strategy_from(std::string_view name) noexcept;

/// A version of a model, as its requests are spread over the nodes: by their places in the table.
struct route_shares {
  struct share {
    /// The node has an agent of this version, as far as is known.
    bool warm = false;
    /// It had one, but its heartbeats no longer name it: the agent was idle, or had to go. The next
    /// request starts it, as if it were there.
    bool resting = false;
    /// It is being asked to start one.
    bool warming = false;
    std::uint32_t outstanding = 0;
    /// For `weighted`: what it is owed.
    double credit = 0;

    void forget_agents() noexcept {
      warm = resting = warming = false;
    }
  };

  share& at(std::size_t place) {
    if (place >= shares.size())
      shares.resize(place + 1);
    return shares[place];
  }

  /// Whether some node has an agent of it, or is being asked to start one.
  bool has_agents() const {
    return std::any_of(shares.begin(), shares.end(),
                       [](const share& each) { return each.warm || each.warming; });
  }

  std::vector<share> shares;
};

/// The nodes and what is under way at each.
///
/// A node that is cold for a version gets its requests only while no warm one can be used: the
/// others need not wait for its agent to start. Invariants: `choose` never gives a node that can
/// not be used; the sum of all shares' outstanding requests at a node is the node's.
class route_table {
public:
  route_table(balance_strategy strategy, std::uint64_t seed) : strategy_(strategy), random_(seed) {
  }

  /// The node's place, which it keeps as long as the table lives; it is made when there is none.
  std::size_t place_of(const std::string& id);
  /// The place of a node that has one.
  std::optional<std::size_t> known_place_of(const std::string& id) const;

  /// Whether the node may be given work, and what it is worth (above 0).
  void set_node(std::size_t place, bool usable, double worth);

  const std::string& id_of(std::size_t place) const {
    return nodes_[place].id;
  }
  const runtime::shared_text& name_of(std::size_t place) const {
    return nodes_[place].id;
  }
  bool is_usable(std::size_t place) const {
    return nodes_[place].usable;
  }
  std::size_t size() const noexcept {
    return nodes_.size();
  }
  std::uint32_t outstanding(std::size_t place) const {
    return nodes_[place].outstanding;
  }

  /// The node for the next request of this version, other than `excluded`; nothing when there is
  /// none.
  std::optional<std::size_t> choose(route_shares& version, std::optional<std::size_t> excluded);

  /// Usable nodes that are neither warm nor warming for the version, best first; at most as many as
  /// bring it to `nodes_max` (0: all).
  std::vector<std::size_t> cold_nodes(route_shares& version, std::size_t nodes_max) const;

  /// Usable nodes where an agent of the version may be started early: those where it rests, and
  /// behind them the cold ones, as long as fewer than `nodes_max` (0: all) are not cold.
  std::vector<std::size_t> spare_nodes(route_shares& version, std::size_t nodes_max) const;

  void begin(route_shares& version, std::size_t place);
  void end(route_shares& version, std::size_t place);

private:
  struct node {
    runtime::shared_text id;
    bool usable = false;
    double worth = 1;
    std::uint32_t outstanding = 0;
    /// When it was chosen last, by the number of choices.
    std::uint64_t last_choice = 0;
  };

  /// Lower is better.
  double load_of(std::size_t place) const {
    return (nodes_[place].outstanding + 1) / nodes_[place].worth;
  }
  bool is_better(std::size_t one, std::size_t other) const;
  std::size_t best_of(const std::vector<std::size_t>& candidates) const;
  std::size_t owed_most(route_shares& version, const std::vector<std::size_t>& candidates) const;

  balance_strategy strategy_;
  runtime::random_source random_;
  std::vector<node> nodes_;
  std::uint64_t choices_ = 0;
  /// Kept for its memory: a choice allocates nothing.
  std::vector<std::size_t> candidates_;
};

}  // namespace dim::actors
