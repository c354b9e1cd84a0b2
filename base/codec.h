// Little-endian encoding of fixed-width integers and length-prefixed bytes.
//
//   Encoder encoder;  encoder.u32(7);  encoder.text("main");
//   Decoder decoder(bytes);  auto n = decoder.u32();  if (!decoder.is_ok()) return damaged();
//
// A Decoder that ran past its end stays failed and returns zeros, so that callers check once.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lb {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

inline ByteView as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

static_assert(std::endian::native == std::endian::little,
              "the codecs copy integers as they lie in memory");

template <class Integer>
void store_little_endian(std::byte* out, Integer value) {
    std::memcpy(out, &value, sizeof value);
}
template <class Integer>
Integer load_little_endian(const std::byte* in) {
    Integer value;
    std::memcpy(&value, in, sizeof value);
    return value;
}

class Encoder {
public:
    void u8(uint8_t value) { put(value); }
    void u16(uint16_t value) { put(value); }
    void u32(uint32_t value) { put(value); }
    void u64(uint64_t value) { put(value); }
    void i64(int64_t value) { put(value); }
    void bytes(ByteView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
    // u32 length, then the bytes.
    void text(std::string_view text) {
        u32(static_cast<uint32_t>(text.size()));
        bytes(as_bytes(text));
    }

    const Bytes& out() const { return out_; }
    Bytes take() { return std::move(out_); }

private:
    template <class Integer>
    void put(Integer value) {
        size_t at = out_.size();
        out_.resize(at + sizeof value);
        store_little_endian(out_.data() + at, value);
    }

    Bytes out_;
};

class Decoder {
public:
    explicit Decoder(ByteView in) : in_(in) {}

    uint8_t u8() { return get<uint8_t>(); }
    uint16_t u16() { return get<uint16_t>(); }
    uint32_t u32() { return get<uint32_t>(); }
    uint64_t u64() { return get<uint64_t>(); }
    int64_t i64() { return get<int64_t>(); }
    ByteView bytes(size_t count) {
        if (in_.size() < count) {
            fail();
            return {};
        }
        ByteView result = in_.first(count);
        in_ = in_.subspan(count);
        return result;
    }
    std::string_view text() { return as_text(bytes(u32())); }

    bool is_ok() const { return is_ok_; }
    // All bytes were consumed and none was missing.
    bool is_finished() const { return is_ok_ && in_.empty(); }
    size_t remaining() const { return in_.size(); }
    void fail() {
        is_ok_ = false;
        in_ = {};
    }

private:
    template <class Integer>
    Integer get() {
        ByteView raw = bytes(sizeof(Integer));
        return raw.size() == sizeof(Integer) ? load_little_endian<Integer>(raw.data()) : Integer{0};
    }

    ByteView in_;
    bool is_ok_ = true;
};

}  // namespace lb
