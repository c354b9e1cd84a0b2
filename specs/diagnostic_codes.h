// The codes of spec diagnostics, printed as LBnnnn. Stable and never reused; each one is explained
// in docs/diagnostics.md and shown by at least one case of tests/specs/cases (a test checks both).
#pragma once

#include <cstdint>

namespace lb::specs::codes {

// The text as a whole.
inline constexpr uint16_t kSyntax = 101;
inline constexpr uint16_t kUnknownKey = 102;
inline constexpr uint16_t kKeyNotYetSupported = 103;
inline constexpr uint16_t kWrongType = 104;
inline constexpr uint16_t kMissingKey = 105;
inline constexpr uint16_t kNotText = 106;
inline constexpr uint16_t kTooLarge = 107;
inline constexpr uint16_t kTooDeep = 108;
inline constexpr uint16_t kTooMany = 109;

// Single values.
inline constexpr uint16_t kInvalidName = 110;
inline constexpr uint16_t kNamesDifferByCase = 111;
inline constexpr uint16_t kPgVersion = 112;
inline constexpr uint16_t kOutOfRange = 113;
inline constexpr uint16_t kInvalidDuration = 114;
inline constexpr uint16_t kInvalidTime = 115;
inline constexpr uint16_t kInvalidAddress = 116;
inline constexpr uint16_t kInvalidBranchPoint = 117;
inline constexpr uint16_t kValueNotYetSupported = 118;
inline constexpr uint16_t kListedTwice = 119;

// Branches and computes.
inline constexpr uint16_t kUnknownParent = 120;
inline constexpr uint16_t kParentCycle = 121;
inline constexpr uint16_t kDefaultBranchHasParent = 122;
inline constexpr uint16_t kDefaultBranchMissing = 123;
inline constexpr uint16_t kMayNotExpire = 124;
inline constexpr uint16_t kParentExpires = 125;
inline constexpr uint16_t kTwoExpirations = 126;
inline constexpr uint16_t kPortUsedTwice = 127;

// Roles and databases.
inline constexpr uint16_t kUnknownRole = 140;
inline constexpr uint16_t kMembershipCycle = 141;
inline constexpr uint16_t kPasswordWithoutLogin = 142;
inline constexpr uint16_t kPasswordInSpec = 143;
inline constexpr uint16_t kInvalidSecretReference = 144;
inline constexpr uint16_t kMembershipNotAllowed = 145;
inline constexpr uint16_t kUnknownSetting = 146;
inline constexpr uint16_t kSettingNotAllowed = 147;
inline constexpr uint16_t kUnknownEncoding = 148;

// Several files, variables.
inline constexpr uint16_t kInTwoFiles = 170;
inline constexpr uint16_t kInvalidVariable = 171;
inline constexpr uint16_t kVariableNotSet = 172;
inline constexpr uint16_t kVariableType = 173;
inline constexpr uint16_t kUnknownVariable = 174;
inline constexpr uint16_t kInvalidReference = 175;
inline constexpr uint16_t kSensitiveVariable = 176;

// [[forget]]
inline constexpr uint16_t kForgetDeclared = 177;
inline constexpr uint16_t kInvalidResource = 178;

// [policy]
inline constexpr uint16_t kInvalidPolicy = 180;
inline constexpr uint16_t kPolicyBranchName = 181;
inline constexpr uint16_t kPolicyExpiration = 182;
inline constexpr uint16_t kPolicyProtection = 183;
inline constexpr uint16_t kPolicyBranchCount = 184;

// About the diagnostics themselves.
inline constexpr uint16_t kMoreProblems = 199;

}  // namespace lb::specs::codes
