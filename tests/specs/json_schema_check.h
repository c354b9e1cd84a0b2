// As much of JSON Schema as lb's own schema uses: type, properties, additionalProperties, required,
// items, minimum, maximum, pattern, anyOf and $ref into $defs. A keyword that it does not know is a
// finding, so that the schema cannot grow past what is checked.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace lb::specs {

// What in `value` breaks `schema`, as "branches.main.ttl: not a string"; empty: it conforms.
std::vector<std::string> schema_findings(const Json& schema, const Json& value);

}  // namespace lb::specs
