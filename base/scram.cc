#include "base/scram.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stringprep.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "base/text.h"

namespace lb {

namespace {

constexpr int kIterations = 4096;  // PostgreSQL's default
constexpr int kIterationsMax = 10'000'000;
constexpr size_t kSaltBytes = 16;
constexpr size_t kKeyBytes = 32;

using Key = std::array<unsigned char, kKeyBytes>;

struct Verifier {
    int iterations = 0;
    std::string salt = {};
    std::string stored_key = {};
    std::string server_key = {};
};

std::string to_base64(std::string_view bytes) {
    std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
    int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                 reinterpret_cast<const unsigned char*>(bytes.data()),
                                 static_cast<int>(bytes.size()));
    out.resize(static_cast<size_t>(length));
    return out;
}

std::optional<std::string> from_base64(std::string_view text) {
    if (text.empty() || text.size() % 4 != 0) return std::nullopt;
    std::string out(text.size() / 4 * 3, '\0');
    int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                 reinterpret_cast<const unsigned char*>(text.data()),
                                 static_cast<int>(text.size()));
    if (length < 0) return std::nullopt;
    size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    out.resize(static_cast<size_t>(length) - padding);
    return out;
}

Key hmac(const Key& key, std::string_view data) {
    Key out;
    unsigned length = kKeyBytes;
    LB_ASSERT(HMAC(EVP_sha256(), key.data(), kKeyBytes,
                   reinterpret_cast<const unsigned char*>(data.data()), data.size(), out.data(),
                   &length) != nullptr);
    return out;
}

std::string text_of(const Key& key) {
    return std::string(reinterpret_cast<const char*>(key.data()), key.size());
}

// SASLprep where it applies. PostgreSQL takes the bytes as they are when they are not UTF-8 or hold
// what SASLprep forbids, and so must we.
std::string normalise(std::string_view password) {
    std::string copy(password);
    char* prepared = nullptr;
    if (is_utf8(password) &&
        stringprep_profile(copy.c_str(), &prepared, "SASLprep",
                           static_cast<Stringprep_profile_flags>(STRINGPREP_NO_UNASSIGNED)) ==
            STRINGPREP_OK &&
        prepared[0] != '\0') {
        std::string out = prepared;
        OPENSSL_cleanse(prepared, std::strlen(prepared));
        std::free(prepared);
        OPENSSL_cleanse(copy.data(), copy.size());
        return out;
    }
    std::free(prepared);
    return copy;
}

void derive_keys(std::string_view password, Verifier& verifier) {
    std::string prepared = normalise(password);
    Key salted;
    LB_ASSERT(PKCS5_PBKDF2_HMAC(prepared.data(), static_cast<int>(prepared.size()),
                                reinterpret_cast<const unsigned char*>(verifier.salt.data()),
                                static_cast<int>(verifier.salt.size()), verifier.iterations,
                                EVP_sha256(), kKeyBytes, salted.data()) == 1);
    Key client_key = hmac(salted, "Client Key");
    Key stored_key;
    LB_ASSERT(EVP_Digest(client_key.data(), kKeyBytes, stored_key.data(), nullptr, EVP_sha256(),
                         nullptr) == 1);
    verifier.stored_key = text_of(stored_key);
    verifier.server_key = text_of(hmac(salted, "Server Key"));
    OPENSSL_cleanse(prepared.data(), prepared.size());
    OPENSSL_cleanse(salted.data(), salted.size());
    OPENSSL_cleanse(client_key.data(), client_key.size());
}

// "SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>"
std::optional<Verifier> parse_verifier(std::string_view text) {
    static constexpr std::string_view kPrefix = "SCRAM-SHA-256$";
    if (!text.starts_with(kPrefix)) return std::nullopt;
    std::vector<std::string> parts = split(text.substr(kPrefix.size()), '$');
    if (parts.size() != 2) return std::nullopt;
    std::vector<std::string> head = split(parts[0], ':');
    std::vector<std::string> keys = split(parts[1], ':');
    if (head.size() != 2 || keys.size() != 2) return std::nullopt;

    Verifier verifier;
    const char* end = head[0].data() + head[0].size();
    auto [parsed_end, failure] = std::from_chars(head[0].data(), end, verifier.iterations);
    auto salt = from_base64(head[1]);
    auto stored_key = from_base64(keys[0]);
    auto server_key = from_base64(keys[1]);
    if (failure != std::errc{} || parsed_end != end || !salt || !stored_key || !server_key) {
        return std::nullopt;
    }
    if (verifier.iterations < 1 || verifier.iterations > kIterationsMax) return std::nullopt;
    if (stored_key->size() != kKeyBytes || server_key->size() != kKeyBytes) return std::nullopt;
    verifier.salt = *salt;
    verifier.stored_key = *stored_key;
    verifier.server_key = *server_key;
    return verifier;
}

}  // namespace

Result<std::string> make_scram_verifier(std::string_view password) {
    if (password.empty()) {
        return Error{.code = ErrorCode::kUsage, .message = "the password is empty"};
    }
    if (password.find('\0') != std::string_view::npos) {
        return Error{.code = ErrorCode::kUsage, .message = "the password contains a NUL byte"};
    }
    Verifier verifier{.iterations = kIterations, .salt = std::string(kSaltBytes, '\0')};
    LB_ASSERT(RAND_bytes(reinterpret_cast<unsigned char*>(verifier.salt.data()),
                         static_cast<int>(kSaltBytes)) == 1);
    derive_keys(password, verifier);
    return cat("SCRAM-SHA-256$", kIterations, ":", to_base64(verifier.salt), "$",
               to_base64(verifier.stored_key), ":", to_base64(verifier.server_key));
}

bool scram_verifier_matches(std::string_view verifier_text, std::string_view password) {
    auto wanted = parse_verifier(verifier_text);
    if (!wanted || password.empty() || password.find('\0') != std::string_view::npos) return false;
    Verifier derived{.iterations = wanted->iterations, .salt = wanted->salt};
    derive_keys(password, derived);
    return CRYPTO_memcmp(derived.stored_key.data(), wanted->stored_key.data(), kKeyBytes) == 0;
}

std::string make_password() {
    std::string bytes(24, '\0');
    LB_ASSERT(RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()),
                         static_cast<int>(bytes.size())) == 1);
    return to_base64(bytes);
}

}  // namespace lb
