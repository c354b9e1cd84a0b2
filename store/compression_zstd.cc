#include <zstd.h>

#include <memory>

#include "store/compression.h"

namespace lb::store {

namespace {

constexpr int kLevel = 1;

// A context is large; each thread keeps its own.
ZSTD_CCtx* compression_context() {
    thread_local std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(),
                                                                            ZSTD_freeCCtx);
    return context.get();
}

ZSTD_DCtx* decompression_context() {
    thread_local std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(),
                                                                            ZSTD_freeDCtx);
    return context.get();
}

}  // namespace

std::optional<Bytes> compress(ByteView plain) {
    Bytes out(ZSTD_compressBound(plain.size()));
    size_t size = ZSTD_compressCCtx(compression_context(), out.data(), out.size(), plain.data(),
                                    plain.size(), kLevel);
    if (ZSTD_isError(size) != 0 || size >= plain.size()) return std::nullopt;
    out.resize(size);
    return out;
}

std::optional<size_t> decompress(ByteView compressed, std::span<std::byte> out) {
    size_t size = ZSTD_decompressDCtx(decompression_context(), out.data(), out.size(),
                                      compressed.data(), compressed.size());
    if (ZSTD_isError(size) != 0) return std::nullopt;
    return size;
}

}  // namespace lb::store
