// XXH3-64: checksums of everything that goes to disk. Not cryptographic.
#pragma once

#include <cstdint>

#include "base/codec.h"

namespace lb {

uint64_t hash64(ByteView bytes, uint64_t seed = 0);

}  // namespace lb
