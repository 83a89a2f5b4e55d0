import { Syla, SylaError } from "@syla/sdk";
import type { Target } from "../connection.ts";
import { CliError } from "../cli-error.ts";
import type { Questions } from "./questions.ts";

/** What a person has proved who they are with. */
export interface PasswordSession {
  /** Acts by the session, not by the key. */
  readonly syla: Syla;
  readonly password: string;
}

/** Signs in as somebody with their password, and their second factor where they have one, for what no key may do. */
export async function signInWithPassword({ url }: Target, email: string, questions: Questions): Promise<PasswordSession> {
  const password = await questions.secret("Your password");
  const headers = { "user-agent": "syla-cli" };
  const signIn = async (code?: string): Promise<string> => {
    let cookie = "";
    const keepCookie: typeof fetch = async (...request) => {
      const answer = await fetch(...request);
      cookie = answer.headers
        .getSetCookie()
        .flatMap((set) => set.split(";", 1))
        .join("; ");
      return answer;
    };
    await new Syla({ baseUrl: url, headers, fetch: keepCookie }).sessions.create({ email, password, ...(code !== undefined && { code }) });
    return cookie;
  };
  const cookie = await signIn().catch(async (error: unknown) => {
    if (!(error instanceof SylaError) || error.code !== "two_factor_required") throw error;
    return await signIn((await questions.text("A code of your authenticator, or a recovery code")).trim());
  });
  if (cookie === "")
    throw new CliError("The server did not open a session.", {
      code: "session_required",
      exit: "unavailable",
      hint: "Do it in the web pages, under Settings.",
    });
  return { password, syla: new Syla({ baseUrl: url, headers: { ...headers, cookie } }) };
}
