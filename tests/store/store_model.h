// An oracle for the store: file trees as plain maps, one whole snapshot per position and line.
// Slow, obvious, and without any of the store's ideas.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "store/store.h"

namespace lb::store {

struct ModelNode {
    FileType type = FileType::kFile;
    uint32_t mode = 0;
    uint32_t link_count = 1;
    std::shared_ptr<const std::string> contents = std::make_shared<std::string>();
    std::map<std::string, uint64_t> children = {};
    uint64_t parent = 0;  // directories

    bool operator==(const ModelNode& other) const {
        return type == other.type && mode == other.mode && link_count == other.link_count &&
               *contents == *other.contents && children == other.children;
    }
};

// Inode -> node. Inodes are the store's.
using ModelTree = std::map<uint64_t, ModelNode>;

struct ModelLine {
    LineId parent;
    uint64_t fork = 0;
    uint64_t created = 0;
    std::optional<uint64_t> deleted = {};
    std::map<uint64_t, std::shared_ptr<const ModelTree>> snapshots = {};  // by position

    std::shared_ptr<const ModelTree> at(uint64_t position) const;
    std::shared_ptr<const ModelTree> head() const { return snapshots.rbegin()->second; }
};

using ModelNotes = std::map<std::string, std::string>;

class StoreModel {
public:
    std::map<LineId, ModelLine> lines = {};
    std::map<uint64_t, ModelNotes> notes = {{0, {}}};

    ModelLine* live(LineId line);
    std::vector<LineId> live_lines() const;
    // The tree that a new child of `tree` sees.
    static ModelTree inherit(const ModelTree& tree);
    static uint64_t logical_bytes(const ModelTree& tree);
    // Forgets all that happened after `position`, as a power cut does.
    void roll_back(uint64_t position);
};

// What the store shows of a line, read through its public face from the root.
ModelTree read_tree(Store& store, LineId line);

// Only what can be reached from the root: what read_tree() gives.
ModelTree reachable(const ModelTree& tree);

// Empty if equal; else what differs first.
std::string difference(const ModelTree& expected, const ModelTree& actual);

}  // namespace lb::store
