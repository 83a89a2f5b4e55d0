import { AppError } from "@syla/contracts/errors";
import type { Me, Role } from "@syla/contracts/accounts";
import type { SignUpMode } from "@syla/contracts/sign-up";
import type { Database, Work } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import type { Background } from "./background.ts";
import { acceptInvitation } from "./invitations/store.ts";
import { hashToken } from "../platform/one-time-token.ts";
import { issueLink, redeemLink } from "./links/one-time-links.ts";
import type { MailLimit } from "./mail-limit.ts";
import { accountExistsMail, signUpMail, type QueueMail } from "./mails.ts";
import { hashPassword } from "./password.ts";
import type { Exchange, Sessions } from "./sessions.ts";
import { requireLength, requirePasswords, type SignInPolicy } from "./sign-in-policy.ts";
import { findUserByEmail, insertUser, lockEmail } from "./store.ts";

/** Who may make an account. It may change while the server runs: read it each time. */
export interface SignUpPolicy {
  readonly mode: SignUpMode;
  readonly domains: readonly string[];
}

/** Told inside the transaction in which an address becomes a person's for certain. */
export type OnEmailConfirmed = (work: Work, userId: string, email: string) => Promise<void>;

/** Making an account. There is none before its address is confirmed, so nobody can hold a place for another's address. */
export interface SignUp {
  readonly signUpPolicy: SignUpPolicy;
  readonly signInPolicy: SignInPolicy;
  /** Whether mails are sent, or wait for somebody to pass them on. */
  readonly sendsMail: boolean;
  /** Answers the same for every address that may sign up. @throws AppError `sign_up_closed`, `rate_limited` */
  requestSignUp(email: string, ip: string): Promise<void>;
  /** With the link of a mail or of an invitation. @throws AppError `link_invalid`, `sign_up_closed`, `email_taken` */
  completeSignUp(input: { token: string; name: string; password: string }, exchange: Exchange): Promise<Me>;
}

interface SignUpOptions {
  readonly database: Database;
  readonly publicUrl: string;
  readonly policy: SignUpPolicy;
  readonly signIn: SignInPolicy;
  readonly sessions: Sessions;
  readonly background: Background;
  readonly queueMail: QueueMail;
  readonly sendsMail: boolean;
  readonly mailLimit: MailLimit;
  readonly onEmailConfirmed: OnEmailConfirmed;
}

export function createSignUp(options: SignUpOptions): SignUp {
  const { database, publicUrl, policy, signIn, sessions, background, queueMail, sendsMail, mailLimit, onEmailConfirmed } = options;
  const { queries } = database;
  return {
    signUpPolicy: policy,
    signInPolicy: signIn,
    sendsMail,
    async requestSignUp(given, ip) {
      const email = given.toLowerCase();
      requirePasswords(signIn);
      requireOpenTo(policy, email);
      if (!(await mailLimit.take(ip, email))) return;
      await database.ping();
      background.start("a mail to sign up could not be queued", () =>
        queries.transaction().execute(async (work) => {
          const user = await findUserByEmail(work, email);
          if (user !== undefined) return await queueMail(work, accountExistsMail(email, publicUrl), user.id);
          const link = await issueLink(work, publicUrl, "sign_up", { email, userId: null });
          return await queueMail(work, signUpMail(email, link.url));
        }),
      );
    },
    async completeSignUp({ token, name, password }, exchange) {
      requirePasswords(signIn);
      requireLength(signIn, password);
      const passwordHash = await hashPassword(password);
      const email = await queries.transaction().execute(async (work) => {
        const invited = await redeem(work, policy, token);
        await lockEmail(work, invited.email);
        if ((await findUserByEmail(work, invited.email)) !== undefined) throw new AppError("email_taken");
        const id = newId("user");
        await insertUser(work, { id, name, ...invited }, { id: newId("acct"), password: passwordHash });
        await onEmailConfirmed(work, id, invited.email);
        return invited.email;
      });
      return await sessions.signIn({ email, password }, exchange);
    },
  };
}

/** What a token gives: an invitation its own role, a link of one's own that of everybody. */
async function redeem(work: Work, policy: SignUpPolicy, token: string): Promise<{ email: string; role: Role }> {
  const invitation = policy.mode === "closed" ? undefined : await acceptInvitation(work, { tokenHash: hashToken(token) });
  if (invitation !== undefined) return invitation;
  const { email } = await redeemLink(work, "sign_up", token);
  if (email === null) throw new AppError("link_invalid");
  requireOpenTo(policy, email);
  return { email, role: "developer" };
}

/** Whether whoever has this address may make an account without an invitation. */
export function isOpenTo({ mode, domains }: SignUpPolicy, email: string): boolean {
  return mode === "open" || (mode === "domain" && domains.includes(email.slice(email.lastIndexOf("@") + 1)));
}

function requireOpenTo(policy: SignUpPolicy, email: string): void {
  if (isOpenTo(policy, email)) return;
  const { mode, domains } = policy;
  if (mode === "domain")
    throw new AppError("sign_up_closed", { message: `Only addresses of ${domains.join(", ")} may make an account here.` });
  throw new AppError("sign_up_closed");
}
