#include "store/fuse_write_joiner.h"

#include <algorithm>
#include <cstring>

namespace lb::store {

namespace {

uint64_t start_of_block(uint64_t offset) { return offset - offset % kBlockBytes; }
bool is_inside_block(uint64_t offset) { return offset % kBlockBytes != 0; }

}  // namespace

WriteOutcome FuseWriteJoiner::write(const WriteRequest& request) {
    std::optional<Part> beginning = take_beginning_of(request);
    uint64_t start = request.offset;
    ByteView data = request.data;
    if (beginning) {
        joined_.clear();
        joined_.insert(joined_.end(), beginning->bytes.begin(), beginning->bytes.end());
        joined_.insert(joined_.end(), data.begin(), data.end());
        start = beginning->request.offset;
        data = joined_;
    }
    uint64_t end = start + data.size();
    uint64_t held_bytes = 0;
    if (is_inside_block(start) || is_inside_block(end)) {
        // Without attributes the write below fails, and says why.
        Result<FileAttributes> file = store_.attributes(request.node.line, request.node.inode);
        uint64_t size_bytes = file ? file->size_bytes : 0;
        held_bytes = bytes_to_hold(start, end, size_bytes);
        count_splits(start, end - held_bytes, size_bytes);
    }
    ByteView whole = data.first(data.size() - held_bytes);
    if (!whole.empty()) {
        Result<FileAttributes> written =
            store_.write(request.node.line, request.node.inode, start, whole);
        if (!written) return {std::move(written).error(), request.offset - start};
    }
    if (beginning) joined_writes_.fetch_add(1, std::memory_order_relaxed);
    if (held_bytes > 0) {
        ByteView held = data.last(held_bytes);
        held_.push_back({.request = {.node = request.node,
                                     .thread = request.thread,
                                     .offset = end - held_bytes},
                         .bytes = {held.begin(), held.end()},
                         .held_since = std::chrono::steady_clock::now()});
        note_what_is_held();
    }
    return {};
}

// The held part that `request` goes on from. What else the request shows to be no cut is let go.
std::optional<FuseWriteJoiner::Part> FuseWriteJoiner::take_beginning_of(
    const WriteRequest& request) {
    if (held_.empty()) return {};
    std::optional<Part> beginning;
    auto is_beginning = [&](const Part& part) {
        return part.request.node == request.node && part.request.thread == request.thread &&
               part.end() == request.offset;
    };
    auto found = std::find_if(held_.begin(), held_.end(), is_beginning);
    if (found != held_.end()) {
        beginning = std::move(*found);
        held_.erase(found);
        note_what_is_held();
    }
    request_of_thread(request.thread);
    change_of_node(request.node);
    return beginning;
}

uint64_t FuseWriteJoiner::bytes_to_hold(uint64_t start, uint64_t end, uint64_t size_bytes) const {
    bool is_cut = is_inside_block(end) && end < size_bytes && start_of_block(end) >= start;
    return is_cut && cache_ == FuseCache::kKernel ? end - start_of_block(end) : 0;
}

void FuseWriteJoiner::count_splits(uint64_t start, uint64_t end, uint64_t size_bytes) {
    bool is_split = (is_inside_block(start) && start < size_bytes) ||
                    (is_inside_block(end) && end < size_bytes);
    if (is_split) split_writes_.fetch_add(1, std::memory_order_relaxed);
}

template <class Condition>
void FuseWriteJoiner::let_go_where(const Condition& condition) {
    for (size_t i = 0; i < held_.size();) {
        if (!condition(held_[i])) {
            ++i;
            continue;
        }
        let_go(held_[i]);
        held_.erase(held_.begin() + static_cast<ptrdiff_t>(i));
        note_what_is_held();
    }
}

void FuseWriteJoiner::let_go(const Part& part) {
    const Node& node = part.request.node;
    split_writes_.fetch_add(1, std::memory_order_relaxed);
    Result<FileAttributes> written =
        store_.write(node.line, node.inode, part.request.offset, part.bytes);
    if (!written) failures_.emplace_back(node, std::move(written).error());
}

void FuseWriteJoiner::request_of_thread(uint32_t thread) {
    if (thread == 0) return;
    let_go_where([&](const Part& part) { return part.request.thread == thread; });
}

void FuseWriteJoiner::change_of_node(Node node) {
    let_go_where([&](const Part& part) { return part.request.node == node; });
}

void FuseWriteJoiner::time_passed(SteadyTime now) {
    let_go_where([&](const Part& part) { return now - part.held_since >= kHoldTime; });
}

void FuseWriteJoiner::let_go_of_all() {
    let_go_where([](const Part&) { return true; });
}

void FuseWriteJoiner::overlay(Node node, uint64_t offset, std::span<std::byte> bytes) const {
    for (const Part& part : held_) {
        if (part.request.node != node) continue;
        uint64_t start = std::max(offset, part.request.offset);
        uint64_t end = std::min(offset + bytes.size(), part.end());
        if (start >= end) continue;
        std::memcpy(bytes.data() + (start - offset),
                    part.bytes.data() + (start - part.request.offset), end - start);
    }
}

Status FuseWriteJoiner::take_failure(Node node) {
    auto is_of_node = [&](const auto& failure) { return failure.first == node; };
    auto found = std::find_if(failures_.begin(), failures_.end(), is_of_node);
    if (found == failures_.end()) return ok();
    Error error = std::move(found->second);
    std::erase_if(failures_, is_of_node);
    return error;
}

void FuseWriteJoiner::hand_over(FuseHandover& handover) const {
    for (const Part& part : held_) {
        const WriteRequest& request = part.request;
        handover.held_writes.push_back({.node = request.node,
                                        .thread = request.thread,
                                        .offset = request.offset,
                                        .bytes = part.bytes});
    }
    for (const auto& [node, error] : failures_) {
        handover.late_failures.push_back(
            {.node = node, .code = error.code, .message = error.message});
    }
}

void FuseWriteJoiner::take_over(const FuseHandover& handover) {
    for (const HeldWrite& held : handover.held_writes) {
        held_.push_back(
            {.request = {.node = held.node, .thread = held.thread, .offset = held.offset},
             .bytes = held.bytes,
             .held_since = std::chrono::steady_clock::now()});
    }
    note_what_is_held();
    for (const LateFailure& failure : handover.late_failures) {
        failures_.emplace_back(failure.node,
                               Error{.code = failure.code, .message = failure.message});
    }
}

}  // namespace lb::store
