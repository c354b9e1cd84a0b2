// An index in a std::map: tests use it, and every open of the store with it is a rebuild.
#include <map>
#include <mutex>

#include "store/index.h"
#include "store/index_keys.h"

namespace lb::store {

namespace {

struct Entries {
    std::mutex mutex;
    std::map<std::string, std::string, std::less<>> map;
};

// Reads under the lock at each move, so it sees later writes too; the store holds its own lock over
// a scan, and so sees no difference to a snapshot.
class MemoryCursor final : public IndexCursor {
public:
    explicit MemoryCursor(Entries& entries) : entries_(entries) {}

    Result<bool> seek(std::string_view key) override {
        prefix_ = key.substr(0, index_prefix_bytes(key));
        std::lock_guard lock(entries_.mutex);
        return take(entries_.map.lower_bound(key));
    }
    Result<bool> next() override {
        std::lock_guard lock(entries_.mutex);
        return take(entries_.map.upper_bound(key_));
    }
    std::string_view key() const override { return key_; }
    std::string_view value() const override { return value_; }

private:
    bool take(std::map<std::string, std::string, std::less<>>::const_iterator at) {
        if (at == entries_.map.end() || !at->first.starts_with(prefix_)) return false;
        key_ = at->first;
        value_ = at->second;
        return true;
    }

    Entries& entries_;
    std::string prefix_;
    std::string key_;
    std::string value_;
};

class MemoryIndex final : public Index {
public:
    Status write(const IndexBatch& batch) override {
        std::lock_guard lock(entries_.mutex);
        batch.for_each([&](std::string_view key, std::string_view value, bool is_put) {
            if (is_put) {
                entries_.map.insert_or_assign(std::string(key), std::string(value));
            } else {
                entries_.map.erase(std::string(key));
            }
        });
        return ok();
    }
    std::unique_ptr<IndexCursor> cursor() override {
        return std::make_unique<MemoryCursor>(entries_);
    }
    Result<std::optional<std::string>> get(std::string_view key) override {
        std::lock_guard lock(entries_.mutex);
        auto found = entries_.map.find(key);
        if (found == entries_.map.end()) return std::optional<std::string>();
        return std::optional<std::string>(found->second);
    }
    Status verify() override { return ok(); }
    Status start_flush() override { return ok(); }
    Status flush() override { return ok(); }
    Status clear() override {
        std::lock_guard lock(entries_.mutex);
        entries_.map.clear();
        return ok();
    }
    Status close() override { return ok(); }

private:
    Entries entries_;
};

}  // namespace

std::unique_ptr<Index> make_memory_index() { return std::make_unique<MemoryIndex>(); }

}  // namespace lb::store
