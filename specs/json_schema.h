// The JSON Schema of specs, for editors that understand TOML: completion, checks while typing, and
// the documentation of every key. Made from the table of keys that read_spec() checks with.
#pragma once

#include "base/json.h"

namespace lb::specs {

// Draft 2020-12. Says which keys there are and of which types; rules between keys are left to
// `lb validate`. Equal for equal versions of lb.
Json json_schema();

}  // namespace lb::specs
