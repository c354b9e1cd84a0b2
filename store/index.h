// Index: the sorted map from keys (index_keys.h) to where the log has what they name. It is derived
// from the log and may be lost at any time.
//
// Promise that recovery rests on: batches become durable in the order in which they were written,
// each whole. Whatever a crash leaves is the state after some batch.
//
// Implementations: index_rocksdb.cc (the only file that knows RocksDB), index_memory.cc (tests).
// write() from one thread at a time; cursors from several threads.
//
// Errors: kIo, kStoreFull, kStoreDamaged (the next open then starts with an empty index).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace lb::store {

// Puts and removals, in order, in one buffer.
class IndexBatch {
public:
    void put(std::string_view key, std::string_view value) { add(key, value, true); }
    void erase(std::string_view key) { add(key, {}, false); }

    size_t entry_count() const { return entry_count_; }
    bool is_empty() const { return entry_count_ == 0; }
    void clear() {
        bytes_.clear();
        entry_count_ = 0;
    }
    // visit(key, value, is_put)
    void for_each(const std::function<void(std::string_view, std::string_view, bool)>& visit) const;

private:
    void add(std::string_view key, std::string_view value, bool is_put);

    std::string bytes_;
    size_t entry_count_ = 0;
};

// Sees the index as it was when the cursor was made. Key and value live until the next move.
class IndexCursor {
public:
    virtual ~IndexCursor() = default;
    // Goes to the first entry at or after `key`; false if there is none with the same prefix
    // (index_prefix_bytes; the whole index where that is 0).
    virtual Result<bool> seek(std::string_view key) = 0;
    // Requires: the last seek() or next() returned true.
    virtual Result<bool> next() = 0;
    virtual std::string_view key() const = 0;
    virtual std::string_view value() const = 0;
};

// Goes forward to the first entry at or after `target`: by steps if it is near, else by a seek.
// Requires: the cursor stands on an entry before `target`, with the same prefix.
Result<bool> advance(IndexCursor& cursor, std::string_view target);

class Index {
public:
    virtual ~Index() = default;
    virtual Status write(const IndexBatch& batch) = 0;
    virtual std::unique_ptr<IndexCursor> cursor() = 0;
    virtual Result<std::optional<std::string>> get(std::string_view key) = 0;
    // Reads all of it and checks its checksums. Errors: kStoreDamaged naming what is damaged.
    virtual Status verify() = 0;
    // Starts making everything written so far durable, in the background.
    virtual Status start_flush() = 0;
    // Everything written so far is durable on return.
    virtual Status flush() = 0;
    // Removes everything.
    virtual Status clear() = 0;
    // Makes everything durable and stops. Unusable afterwards.
    virtual Status close() = 0;
};

struct RocksdbIndexOptions {
    std::string directory;
    uint64_t cache_bytes = uint64_t{64} << 20;
    // Called (from a background thread) before anything reaches the disk: makes the log durable up
    // to what the index has seen, so that the index is never ahead of the log. After false the
    // index is not to be trusted: the next open starts with an empty one.
    std::function<bool()> before_flush;
};
// Opens or creates; a damaged index is replaced by an empty one.
Result<std::unique_ptr<Index>> open_rocksdb_index(RocksdbIndexOptions options);

// For looking only: no file is changed, and damage is an error. kStoreNotFound: there is none, or
// none that the next open will use.
Result<std::unique_ptr<Index>> open_rocksdb_index_to_read(const std::string& directory);

std::unique_ptr<Index> make_memory_index();

}  // namespace lb::store
