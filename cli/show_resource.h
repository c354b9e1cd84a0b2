// One live resource: what it is, whose it is, since when, and where the spec says so.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/model/state.h"
#include "planner/plan.h"
#include "specs/project_spec.h"

namespace lb::cli {

struct ShownResource {
    Address address;
    std::optional<Origin> origin = {};                    // the project has none
    std::optional<Generation> created_in = {};            // of branches and their computes
    std::optional<Generation> changed_in = {};            // of a role and the like: its branch's
    std::vector<planner::AttributeDiff> attributes = {};  // those that are not the usual ones
    specs::Span span = {};                                // line 0: the spec does not name it
};

// `spec` may be null. Errors: kNotFound with what is near; kUsage for what is in a branch that
// nobody looked into.
Result<ShownResource> shown_resource(const Address& address, const ProjectState& live,
                                     const specs::ProjectSpec* spec);

Json to_json(const ShownResource& resource);
std::string to_text(const ShownResource& resource);

}  // namespace lb::cli
