import { authCreateKeyCommand } from "../commands/auth-create-key.ts";
import { authIdentitiesListCommand } from "../commands/auth-identities-list.ts";
import { authIdentitiesUnlinkCommand } from "../commands/auth-identities-unlink.ts";
import { authInviteCommand } from "../commands/auth-invite.ts";
import { authKeyQuotasCommand } from "../commands/auth-key-quotas.ts";
import { authKeysCommand } from "../commands/auth-keys.ts";
import { authLoginCommand } from "../commands/auth-login.ts";
import { authLogoutCommand } from "../commands/auth-logout.ts";
import { authRevokeKeyCommand } from "../commands/auth-revoke-key.ts";
import { authSessionsListCommand } from "../commands/auth-sessions-list.ts";
import { authSessionsRevokeCommand } from "../commands/auth-sessions-revoke.ts";
import { authStatusCommand } from "../commands/auth-status.ts";
import { authTwoFactorDisableCommand } from "../commands/auth-two-factor-disable.ts";
import { authTwoFactorEnableCommand } from "../commands/auth-two-factor-enable.ts";
import { authTwoFactorRecoveryCodesCommand } from "../commands/auth-two-factor-recovery-codes.ts";
import { authTwoFactorStatusCommand } from "../commands/auth-two-factor-status.ts";
import { defineNoun } from "./define-noun.ts";

/** `syla auth` */
export const authNoun = defineNoun("auth", "servers elsewhere, and what lets you in there", [
  authLoginCommand,
  authLogoutCommand,
  authStatusCommand,
  authKeysCommand,
  authCreateKeyCommand,
  authKeyQuotasCommand,
  authRevokeKeyCommand,
  authInviteCommand,
  defineNoun("sessions", "browsers in which you are signed in", [authSessionsListCommand, authSessionsRevokeCommand]),
  defineNoun("two-factor", "a code besides the password", [
    authTwoFactorStatusCommand,
    authTwoFactorEnableCommand,
    authTwoFactorRecoveryCodesCommand,
    authTwoFactorDisableCommand,
  ]),
  defineNoun("identities", "accounts elsewhere that let you in", [authIdentitiesListCommand, authIdentitiesUnlinkCommand]),
]);
