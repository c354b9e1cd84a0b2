// RapidCheck generators of specs that read_spec() would accept, and of live states that lb and
// people at work beside it may leave.
#pragma once

#include <rapidcheck.h>

#include "specs/project_spec.h"

namespace lb::planner::testing {

// Any valid spec of project "shop". Names come from a small pool, so that two specs overlap.
rc::Gen<specs::ProjectSpec> any_spec();

// A spec that keeps the branches' parents and points of `spec`, changes settings, adds and removes:
// what somebody would edit. Plans of it are mostly applicable.
rc::Gen<specs::ProjectSpec> edited(specs::ProjectSpec spec);

// `spec` applied to nothing, then changed by commands and by hand; or, rarely, nothing at all.
rc::Gen<ProjectState> live_state_near(specs::ProjectSpec spec);

// The same spec with its tables in another order.
rc::Gen<specs::ProjectSpec> shuffled(specs::ProjectSpec spec);

}  // namespace lb::planner::testing
