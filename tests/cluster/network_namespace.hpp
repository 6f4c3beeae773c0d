#pragma once

#include <string>
#include <vector>

#include "tests/cluster/process.hpp"

/// Machines with networks of their own, as far as one machine can play them: Linux network
/// namespaces, joined by virtual cables that can be cut. For those who may (root).
namespace dim::tests {

/// Moves this program into a network namespace of its own, once. Returns why that is not possible
/// here; empty: it is done. Call it before anything listens.
std::string enter_private_network();

/// A namespace at the other end of a cable. Cable `number` (1 to 250) has the addresses
/// 10.77.`number`.1 here and 10.77.`number`.2 there. Everything goes with the object.
class network_namespace {
public:
  explicit network_namespace(int number);
  network_namespace(const network_namespace&) = delete;
  network_namespace& operator=(const network_namespace&) = delete;

  /// What runs a program inside.
  std::vector<std::string> prefix() const;
  /// The address of this side, for those inside.
  std::string near_address() const;
  /// The address inside.
  std::string far_address() const;

  /// Pulls the cable: packets are lost, nobody is told.
  void cut() const;
  void heal() const;
  /// Gives this side one more address that those inside reach.
  void add_near_address(const std::string& address) const;

private:
  int number_;
  std::string cable_;
  /// Sleeps inside, and so keeps the namespace.
  process holder_;
};

}  // namespace dim::tests
