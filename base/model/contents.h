// What lives inside of roles and databases: settings, schemas, extensions. Plain values and their
// JSON; part of base/model/state.h.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace lb {

// Who made a resource: the spec (then removing it from the spec deletes it), a command (the spec
// leaves it alone), or somebody by SQL.
enum class Origin : uint8_t { kSpec = 0, kCommand = 1, kManual = 2 };
std::string_view to_text(Origin origin);  // "spec", "command", "manual"
// Errors: kBadRequest.
Result<Origin> origin_at(const Json& json);

// PostgreSQL's settings by their names, in lower case. Elements of a list are separated by ", " and
// quoted only where they must be (canonical_setting_list()).
using Settings = std::map<std::string, std::string, std::less<>>;

struct SchemaState {
    std::string name;
    Origin origin = Origin::kManual;
    std::string owner = {};
    bool operator==(const SchemaState&) const = default;
};

struct ExtensionState {
    std::string name;
    Origin origin = Origin::kManual;
    std::string schema = {};
    std::string version = {};
    bool operator==(const ExtensionState&) const = default;
};

Json to_json(const Settings& settings);
Json to_json(const SchemaState& schema);
Json to_json(const ExtensionState& extension);

// Errors: kBadRequest.
Result<Settings> settings_at(const Json& json, std::string_view key);
Result<SchemaState> schema_from_json(const Json& json);
Result<ExtensionState> extension_from_json(const Json& json);

// Why lb keeps a setting of servers for itself, and what to do instead; empty for one that a spec
// may set.
std::string_view kept_setting_reason(std::string_view name);

// Settings whose value is a list of names, such as search_path.
bool is_list_setting(std::string_view name);
// The elements of such a value: `"$user", public` -> {$user, public}.
std::vector<std::string> setting_list(std::string_view value);
std::string canonical_setting_list(const std::vector<std::string>& elements);
// One of PostgreSQL's "name=value" texts in the form of Settings.
std::pair<std::string, std::string> setting_of(std::string_view text);

}  // namespace lb
