// Compression of block contents in cold segments. zstd, each block on its own, so that one can be
// read without the others.
#pragma once

#include <optional>
#include <span>

#include "base/codec.h"

namespace lb::store {

// nullopt if it would not be smaller.
std::optional<Bytes> compress(ByteView plain);
// The number of bytes in `out`; nullopt if `compressed` is none of ours or does not fit.
std::optional<size_t> decompress(ByteView compressed, std::span<std::byte> out);

}  // namespace lb::store
