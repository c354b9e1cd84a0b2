#include "store/fuse_handover.h"

namespace lb::store {

namespace {

void put_node(Encoder& out, Node node) { out.u64(node_id(node.line, node.inode)); }

Bytes take_bytes(Decoder& in) {
    ByteView bytes = as_bytes(in.text());
    return {bytes.begin(), bytes.end()};
}

FileType take_type(Decoder& in) {
    auto type = static_cast<FileType>(in.u8());
    switch (type) {
        case FileType::kFile:
        case FileType::kDirectory:
        case FileType::kSymlink: return type;
    }
    in.fail();
    return FileType::kFile;
}

// Calls take() as often as a count says, until something is missing.
template <class Take>
auto take_list(Decoder& in, const Take& take) {
    std::vector<decltype(take())> list;
    for (uint32_t count = in.u32(); count > 0 && in.is_ok(); --count) list.push_back(take());
    return list;
}

OpenInode take_open_inode(Decoder& in) {
    OpenInode open{.line = LineId{in.u64()}, .inode = InodeId{in.u64()}, .count = in.u32()};
    if (open.line.value() > kLineMax || open.inode >= kInodeLimit || open.count == 0) in.fail();
    return open;
}

ListedDirectory take_directory(Decoder& in) {
    ListedDirectory directory{.handle = in.u64()};
    directory.entries = take_list(in, [&] {
        std::string name(in.text());
        uint64_t id = in.u64();
        return ListedEntry{.name = std::move(name), .id = id, .type = take_type(in)};
    });
    return directory;
}

HeldWrite take_held_write(Decoder& in) {
    Node node = node_of(in.u64());
    uint32_t thread = in.u32();
    uint64_t offset = in.u64();
    return {.node = node, .thread = thread, .offset = offset, .bytes = take_bytes(in)};
}

LateFailure take_late_failure(Decoder& in) {
    Node node = node_of(in.u64());
    auto code = static_cast<ErrorCode>(in.u16());
    return {.node = node, .code = code, .message = std::string(in.text())};
}

}  // namespace

Bytes encode(const FuseHandover& handover) {
    Encoder out;
    out.text(as_text(handover.init_request));
    out.text(as_text(handover.init_reply));
    out.u32(static_cast<uint32_t>(handover.open_inodes.size()));
    for (const OpenInode& open : handover.open_inodes) {
        out.u64(open.line.value());
        out.u64(open.inode.value());
        out.u32(open.count);
    }
    out.u64(handover.next_directory_handle);
    out.u32(static_cast<uint32_t>(handover.directories.size()));
    for (const ListedDirectory& directory : handover.directories) {
        out.u64(directory.handle);
        out.u32(static_cast<uint32_t>(directory.entries.size()));
        for (const ListedEntry& entry : directory.entries) {
            out.text(entry.name);
            out.u64(entry.id);
            out.u8(static_cast<uint8_t>(entry.type));
        }
    }
    out.u32(static_cast<uint32_t>(handover.held_writes.size()));
    for (const HeldWrite& held : handover.held_writes) {
        put_node(out, held.node);
        out.u32(held.thread);
        out.u64(held.offset);
        out.text(as_text(held.bytes));
    }
    out.u32(static_cast<uint32_t>(handover.late_failures.size()));
    for (const LateFailure& failure : handover.late_failures) {
        put_node(out, failure.node);
        out.u16(static_cast<uint16_t>(failure.code));
        out.text(failure.message);
    }
    return out.take();
}

Result<FuseHandover> decode_fuse_handover(ByteView bytes) {
    Decoder in(bytes);
    FuseHandover handover;
    handover.init_request = take_bytes(in);
    handover.init_reply = take_bytes(in);
    handover.open_inodes = take_list(in, [&] { return take_open_inode(in); });
    handover.next_directory_handle = in.u64();
    handover.directories = take_list(in, [&] { return take_directory(in); });
    handover.held_writes = take_list(in, [&] { return take_held_write(in); });
    handover.late_failures = take_list(in, [&] { return take_late_failure(in); });
    if (in.is_finished()) return handover;
    return Error{.code = ErrorCode::kBadRequest,
                 .message = "the state of the mount that was handed over is malformed"};
}

}  // namespace lb::store
