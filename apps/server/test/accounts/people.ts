/** What the tests of accounts share: an administrator, people, and the mail that waits to be sent. */
import { Me } from "@syla/contracts/accounts";
import { createOTP } from "@better-auth/utils/otp";
import { NewInvitation } from "@syla/contracts/sign-up";
import type { TestServer } from "@syla/testkit/server";

export const nobody = { authorization: "" };
export const password = "correct horse battery";

/** The cookies that an answer set, as a browser would send them. */
export function cookieOf(response: Response): string {
  return response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";", 1)[0])
    .join("; ");
}

export async function codeOf(response: Response): Promise<string> {
  return ((await response.json()) as { code: string }).code;
}

/** A person with an account, signed in. */
export interface Person {
  readonly id: string;
  readonly email: string;
  readonly cookie: string;
}

/** Sets the server up. */
export async function setUpAdmin(server: TestServer): Promise<Person> {
  const token = new URL(server.running.setupUrl ?? "").searchParams.get("token");
  const input = { token, name: "Ann Ångström", email: "ann@example.org", password };
  const answer = await server.send("POST", "/api/v1/setup", input, nobody);
  const me = Me.parse(await answer.json());
  return { id: me.id, email: "ann@example.org", cookie: cookieOf(answer) };
}

/** The token of a one-time link. */
export function tokenOf(url: string): string {
  return new URLSearchParams(new URL(url).hash.slice(1)).get("token") ?? "";
}

/** Invites somebody, who makes an account at once. */
export async function addPerson(server: TestServer, email: string, role = "developer"): Promise<Person> {
  const invitation = NewInvitation.parse(await (await server.send("POST", "/api/v1/invitations", { email, role })).json());
  const input = { token: tokenOf(invitation.url), name: "Bob", password };
  const answer = await server.send("POST", "/api/v1/sign-up/complete", input, nobody);
  const me = Me.parse(await answer.json());
  return { id: me.id, email, cookie: cookieOf(answer) };
}

/** The mail that waits for an address, newest first. */
export async function mailsTo(server: TestServer, email: string): Promise<{ subject: string; text: string; html: string }[]> {
  await server.context.accounts.settled();
  const rows = await server.context.database.queries.selectFrom("deliveries").select("message").orderBy("id", "desc").execute();
  const mails = rows.map(({ message }) => message as { to: string; subject: string; text: string; html: string });
  return mails.filter(({ to }) => to === email);
}

/** The token of the newest mail to an address. */
export async function mailedToken(server: TestServer, email: string): Promise<string> {
  const [mail] = await mailsTo(server, email);
  return /#token=([\w-]+)/.exec(mail?.text ?? "")?.[1] ?? "";
}

export function signIn(server: TestServer, email: string, secret = password, more: object = {}, headers: Record<string, string> = {}) {
  return server.send("POST", "/api/v1/sessions", { email, password: secret, ...more }, { ...nobody, ...headers });
}

export function getMe(server: TestServer, headers: Record<string, string>): Promise<Response> {
  return server.fetch("/api/v1/users/me", { headers });
}

/** Gives a person the password. */
export async function givePassword(server: TestServer, userId: string): Promise<void> {
  const reset = (await (await server.send("POST", `/api/v1/users/${userId}/password-reset`)).json()) as { url: string };
  await server.send("POST", "/api/v1/password-reset/complete", { token: tokenOf(reset.url), password }, nobody);
}

/** Gives a person the password and a second factor. @returns the recovery codes */
export async function turnOnTwoFactor(server: TestServer, userId: string, email: string): Promise<string[]> {
  await givePassword(server, userId);
  const cookie = cookieOf(await signIn(server, email));
  const send = (path: string, body: object) => server.send("POST", `/api/v1/users/me/two-factor${path}`, body, { cookie });
  const { uri } = (await (await send("", { password })).json()) as { uri: string };
  const secret = new URL(uri).searchParams.get("secret") ?? "";
  const code = await createOTP(decodeBase32(secret)).totp();
  return ((await (await send("/confirm", { code })).json()) as { recoveryCodes: string[] }).recoveryCodes;
}

function decodeBase32(text: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = Array.from(text.replaceAll("=", ""))
    .map((character) => alphabet.indexOf(character).toString(2).padStart(5, "0"))
    .join("");
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2))).toString();
}
