// Entries of the index as names and values, for messages, `lb debug index` and its --json.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace lb::store {

// {"type":"block","line":1,"data":184,"block":7,"sequence":4711,"segment":1,"offset":8192, ...}.
// Accepts any bytes: what cannot be read is shown in hexadecimal, with "unreadable": true.
Json index_entry_json(std::string_view key, std::string_view value);
// "block line=1 data=184 block=7 sequence=4711 segment=1 offset=8192 stored=8192"
std::string index_entry_text(std::string_view key, std::string_view value);

}  // namespace lb::store
