// GenerationRecord: what one apply did, who asked for it, and what each resource was before and
// after. Going back through the records from the live state gives the state of any generation.
#pragma once

#include <string>
#include <vector>

#include "base/model/change.h"

namespace lb {

struct GenerationChange {
    Address address;
    ChangeKind kind = ChangeKind::kCreate;
    Origin origin = Origin::kSpec;
    std::string detail = {};  // for people: what a restore restored to
    // Monostate: it did not exist, or the record has no values. Roles hold SCRAM verifiers.
    ResourceValue before = {};
    ResourceValue after = {};
    bool operator==(const GenerationChange&) const = default;
};

struct GenerationRecord {
    Generation number = {};
    WallTime applied_at{};
    std::string author = {};  // user@host
    std::string plan_id = {};
    std::string spec_hash = {};  // SHA-256 of the spec's files; empty if no spec asked
    std::string git_commit = {};
    // Name of the apply's prepared transactions, unique to the attempt, because a failed attempt
    // has the same generation number as the one that follows it. Empty if it ran no SQL.
    std::string transaction = {};
    // A branch made at this position has the data of this generation: it is the store's position
    // just before the commit frame, with every prepared transaction already in the log.
    Position position = {};
    bool has_values = true;  // false: the changes' before and after were left out
    std::vector<GenerationChange> changes = {};
    bool operator==(const GenerationRecord&) const = default;
};

Json to_json(const GenerationRecord& record);
// Errors: kBadRequest. Records from before there were values, origins or spec hashes are
// understood.
Result<GenerationRecord> generation_record_from_json(const Json& json);

}  // namespace lb
