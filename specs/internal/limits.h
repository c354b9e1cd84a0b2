// The limits of a spec; docs/spec-reference.md states them with their reasons.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace lb::specs {

inline constexpr size_t kBranchesMax = 10'000;
inline constexpr size_t kRolesMax = 500;
inline constexpr size_t kDatabasesMax = 500;
inline constexpr size_t kSchemasMax = 500;     // of a database
inline constexpr size_t kExtensionsMax = 100;  // of a database
inline constexpr size_t kListenAddressesMax = 16;

inline constexpr std::chrono::seconds kTtlMin = std::chrono::minutes(1);
inline constexpr std::chrono::seconds kTtlMax = std::chrono::days(30);

inline constexpr double kCuMin = 0.25;
inline constexpr double kCuMax = 64;
inline constexpr double kCuStep = 0.25;

inline constexpr int64_t kPortMin = 1024;  // below, an ordinary user may not listen
inline constexpr int64_t kPortMax = 65535;

// PostgreSQL's own limit of backends, 2^18 - 1.
inline constexpr int64_t kConnectionLimitMax = 262'143;

inline constexpr size_t kSecretPathMaxBytes = 4096;

}  // namespace lb::specs
