#include "cli/daemon/handover_state.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/hash.h"
#include "base/text.h"

namespace lb::cli {
namespace {

constexpr std::string_view kMagic = "lbhandov";
constexpr size_t kHashBytes = sizeof(uint64_t);

Error malformed(std::string_view what) {
    return {.code = ErrorCode::kBadRequest,
            .message = cat("the state that was handed over ", what)};
}

Error cannot(std::string_view what) { return system_error(ErrorCode::kIo, what, errno); }

ByteView section(Decoder& in) { return as_bytes(in.text()); }

Status write_all(int descriptor, ByteView bytes) {
    while (!bytes.empty()) {
        ssize_t count = write(descriptor, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return cannot("cannot write the state for a hand-over");
        bytes = bytes.subspan(static_cast<size_t>(count));
    }
    return ok();
}

Result<Bytes> read_all(int descriptor) {
    struct stat attributes {};
    if (fstat(descriptor, &attributes) != 0) return cannot("cannot read what was handed over");
    Bytes bytes(static_cast<size_t>(attributes.st_size));
    for (size_t done = 0; done < bytes.size();) {
        ssize_t count =
            pread(descriptor, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return cannot("cannot read what was handed over");
        done += static_cast<size_t>(count);
    }
    return bytes;
}

}  // namespace

Bytes encode(const HandoverState& state) {
    Encoder out;
    out.bytes(as_bytes(kMagic));
    out.u32(kHandoverFormat);
    for (int descriptor : {state.lock, state.listener, state.connection}) {
        out.u32(static_cast<uint32_t>(descriptor));
    }
    out.u32(state.count);
    out.i64(state.paused_at_ns);
    out.text(as_text(encode(state.mount)));
    out.text(as_text(encode(state.computes)));
    out.u64(hash64(out.out()));
    return out.take();
}

Result<HandoverState> decode_handover_state(ByteView bytes) {
    if (bytes.size() < kMagic.size() + sizeof(uint32_t) + kHashBytes) return malformed("is cut");
    ByteView hashed = bytes.first(bytes.size() - kHashBytes);
    Decoder hash(bytes.last(kHashBytes));
    Decoder in(hashed);
    if (as_text(in.bytes(kMagic.size())) != kMagic) return malformed("is something else");
    if (uint32_t format = in.u32(); format != kHandoverFormat) {
        return malformed(cat("has format ", format, "; this lb reads ", kHandoverFormat));
    }
    if (hash.u64() != hash64(hashed)) return malformed("is damaged");
    HandoverState state;
    for (int* descriptor : {&state.lock, &state.listener, &state.connection}) {
        *descriptor = static_cast<int>(in.u32());
        if (*descriptor < 0) in.fail();
    }
    state.count = in.u32();
    state.paused_at_ns = in.i64();
    ByteView mount = section(in);
    ByteView computes = section(in);
    if (!in.is_finished()) return malformed("is malformed");
    state.mount = LB_TRY(store::decode_fuse_handover(mount));
    state.computes = LB_TRY(engine::decode_handed_computes(computes));
    return state;
}

Result<int> write_handover_file(const HandoverState& state) {
    int descriptor = memfd_create("lb-handover", MFD_ALLOW_SEALING);
    if (descriptor < 0) return cannot("cannot make a memory file");
    Status written = write_all(descriptor, encode(state));
    constexpr int kSeals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
    if (written.is_ok() && fcntl(descriptor, F_ADD_SEALS, kSeals) != 0) {
        written = cannot("cannot seal a memory file");
    }
    if (written.is_ok()) return descriptor;
    close(descriptor);
    return std::move(written).error();
}

Result<HandoverState> read_handover_file(int descriptor) {
    Result<Bytes> bytes = read_all(descriptor);
    close(descriptor);
    HandoverState state = LB_TRY(decode_handover_state(LB_TRY(std::move(bytes))));
    for (int inherited : {state.lock, state.listener, state.connection}) {
        if (fcntl(inherited, F_SETFD, FD_CLOEXEC) != 0) {
            return cannot(cat("descriptor ", inherited, " was not handed over"));
        }
    }
    return state;
}

}  // namespace lb::cli
