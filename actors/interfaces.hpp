#pragma once

/// START HERE. The interface of every actor, in the order in which a request meets them:
///
///   gateway -> ENTRY -> DISPATCHER -> JOB -> ENGINE -> SCHEDULER -> NODE -> DEVICE -> AGENT
///   -> INFERENCE, and back; a direct inference goes ENTRY -> ROUTER -> NODE; STORE, QUERIES,
///   EVENTS, MODELS and REGISTRY beside them; FAULTS beside everything.
///
/// ENTRY, which a process publishes to others, is untyped (CAF refuses untyped clients of typed
/// actors) and delegates every message below to the actor whose interface lists it.
#include "actors/job/interface.hpp"
#include "actors/engine/interface.hpp"
#include "actors/router/interface.hpp"
#include "actors/cluster/interface.hpp"
#include "actors/node/interface.hpp"
#include "actors/agent/interface.hpp"
#include "actors/store/interface.hpp"
#include "actors/faults/interface.hpp"
