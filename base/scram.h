// SCRAM-SHA-256 verifiers, the form in which PostgreSQL keeps passwords
// ("SCRAM-SHA-256$4096:salt$StoredKey:ServerKey", RFC 5802, RFC 7677). lb computes them on the
// client's side, so that no password ever travels, is stored, or shows in a process list.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace lb {

// A new verifier with a random salt. The password is normalised with SASLprep where it is valid
// UTF-8 that SASLprep allows, and taken as it is otherwise, as PostgreSQL does.
// Errors: kUsage for an empty password or one with a NUL byte.
Result<std::string> make_scram_verifier(std::string_view password);

// A new random password: 32 letters, digits, '+' and '/', of 24 random bytes.
std::string make_password();

// True if `password` belongs to `verifier`; false too for a malformed verifier.
bool scram_verifier_matches(std::string_view verifier, std::string_view password);

}  // namespace lb
