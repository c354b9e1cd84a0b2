// ClockCache<Key, Value>: a map that forgets what was not used for long (second-chance, "CLOCK").
//
// find() is safe from several threads at once as long as nobody changes the cache; everything else
// needs exclusive access. Addresses of values are stable until trim() or erase(), and only
// trim() forgets: so a caller that trims when it starts keeps its pointers to the end.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

namespace lb::store {

template <class Key, class Value, class Hash>
class ClockCache {
public:
    Value* find(const Key& key) const {
        auto found = entries_.find(key);
        if (found == entries_.end()) return nullptr;
        Entry& entry = *found->second;
        // Read first: a store on every use would bounce the cache line between cores.
        if (!entry.is_used.load(std::memory_order_relaxed)) {
            entry.is_used.store(true, std::memory_order_relaxed);
        }
        return &entry.value;
    }

    // Requires: the key is absent.
    Value& insert(const Key& key, Value value) {
        auto entry = std::make_unique<Entry>(key, ring_.size(), std::move(value));
        ring_.push_back(entry.get());
        return (entries_[key] = std::move(entry))->value;
    }

    void erase(const Key& key) {
        auto found = entries_.find(key);
        if (found == entries_.end()) return;
        size_t hole = found->second->ring_index;
        ring_[hole] = ring_.back();
        ring_[hole]->ring_index = hole;
        ring_.pop_back();
        entries_.erase(found);
    }

    // Forgets one after the other while `is_too_full()` and any is left; `release(key, value)` is
    // told before each goes.
    template <class IsTooFull, class Release>
    void trim(const IsTooFull& is_too_full, const Release& release) {
        while (!ring_.empty() && is_too_full()) {
            if (hand_ >= ring_.size()) hand_ = 0;
            Entry& entry = *ring_[hand_];
            if (entry.is_used.exchange(false, std::memory_order_relaxed)) {
                hand_++;
                continue;
            }
            release(entry.key, entry.value);
            erase(Key(entry.key));
        }
    }

    template <class Visit>
    void for_each(const Visit& visit) {
        for (Entry* entry : ring_) visit(entry->value);
    }

    void clear() {
        ring_.clear();
        entries_.clear();
    }
    size_t size() const { return ring_.size(); }

private:
    struct Entry {
        Entry(const Key& k, size_t index, Value v)
            : key(k), ring_index(index), value(std::move(v)) {}
        Key key;
        size_t ring_index;
        std::atomic<bool> is_used{true};
        Value value;
    };

    std::unordered_map<Key, std::unique_ptr<Entry>, Hash> entries_;
    std::vector<Entry*> ring_;
    size_t hand_ = 0;
};

// Mixes the parts of a composite key.
inline size_t mix_hash(uint64_t first, uint64_t second) {
    uint64_t mixed = (first * 0x9E3779B97F4A7C15ULL) ^ (second + 0x7F4A7C15ULL);
    mixed ^= mixed >> 32;
    mixed *= 0xD6E8FEB86659FD93ULL;
    return static_cast<size_t>(mixed ^ (mixed >> 32));
}

}  // namespace lb::store
