#include "base/codec.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/hash.h"

namespace lb {
namespace {

RC_GTEST_PROP(Codec, DecodesWhatWasEncoded,
              (uint8_t a, uint16_t b, uint32_t c, uint64_t d, int64_t e, const std::string& text)) {
    Encoder encoder;
    encoder.u8(a);
    encoder.u16(b);
    encoder.u32(c);
    encoder.u64(d);
    encoder.i64(e);
    encoder.text(text);
    Decoder decoder(encoder.out());
    RC_ASSERT(decoder.u8() == a);
    RC_ASSERT(decoder.u16() == b);
    RC_ASSERT(decoder.u32() == c);
    RC_ASSERT(decoder.u64() == d);
    RC_ASSERT(decoder.i64() == e);
    RC_ASSERT(decoder.text() == text);
    RC_ASSERT(decoder.is_finished());
}

TEST(Codec, StaysFailedAfterTheEnd) {
    Encoder encoder;
    encoder.u32(5);  // a length without its bytes
    Decoder decoder(encoder.out());
    EXPECT_EQ(decoder.text(), "");
    EXPECT_FALSE(decoder.is_ok());
    EXPECT_EQ(decoder.u8(), 0);
    EXPECT_FALSE(decoder.is_finished());
}

TEST(Hash, IsStable) {
    // Written to disk: these values must never change.
    EXPECT_EQ(hash64(as_bytes("")), 0x2d06800538d394c2U);
    EXPECT_NE(hash64(as_bytes("a")), hash64(as_bytes("a"), 1));
}

}  // namespace
}  // namespace lb
