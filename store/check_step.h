// A step of reclaim that was cut short, as the check sees it: the index that is in use may have
// all of its changes, some, or none, since the next open finishes it.
#pragma once

#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/hash.h"
#include "store/index_keys.h"
#include "store/manifest.h"
#include "store/time_index.h"

namespace lb::store {

class PendingStep {
public:
    // Entries of frames from here on are inputs, up to the last frame of hot inputs.
    void begin_hot(uint64_t first_sequence) { first_sequence_ = first_sequence; }
    // `base` is what the log begins after when the step is through: its time has the place of the
    // last input's, if that was written in the same moment.
    void end_hot(const LogBase& base) {
        last_sequence_ = base.previous_sequence;
        IndexBatch batch;
        put_time(batch, entry_of_base(base));
        batch.for_each(
            [&](std::string_view key, std::string_view value, bool) { add_output(key, value); });
    }
    void add_input(std::string_view key) { inputs_.insert(hash64(as_bytes(key))); }
    void add_output(std::string_view key, std::string_view value) {
        outputs_.emplace(hash64(as_bytes(key)), hash64(as_bytes(value)));
    }

    // The entry may be gone already.
    bool may_be_gone(const DecodedKey& key, std::string_view raw_key) const {
        uint64_t hash = hash64(as_bytes(raw_key));
        bool is_hot = key.sequence >= first_sequence_ && key.sequence <= last_sequence_;
        return (is_hot || inputs_.contains(hash)) && !outputs_.contains(hash);
    }
    // The entry may have this value already.
    bool may_be(std::string_view raw_key, std::string_view value) const {
        auto found = outputs_.find(hash64(as_bytes(raw_key)));
        return found != outputs_.end() && found->second == hash64(as_bytes(value));
    }

private:
    uint64_t first_sequence_ = kNewest;
    uint64_t last_sequence_ = kNewest;     // until the end of the inputs was seen
    std::unordered_set<uint64_t> inputs_;  // of cold segments
    std::unordered_map<uint64_t, uint64_t> outputs_;
};

}  // namespace lb::store
