import type { Command } from "commander";
import { signInWithPassword } from "../accounts/password-session.ts";
import { openQuestions } from "../accounts/questions.ts";
import { CliError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { removeProfile } from "../settings/profiles.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const accountDeleteCommand: Command = defineServerCommand(
  "delete",
  "delete your account with everything that you own, for good",
).action(async (flags: CommonFlags) => {
  const { syla, target } = await connect({ env: process.env, profile: flags.profile });
  const me = await syla.me.get();
  if (me.email === null || target.source === "local") throw inPages();
  using questions = openQuestions();
  const confirm = (await questions.text(`Type ${plainLine(me.email)} to delete this account, its runs, sandboxes and assets`)).trim();
  if (confirm.toLowerCase() !== me.email.toLowerCase()) return stay(flags);
  const session = await signInWithPassword(target, me.email, questions);
  await session.syla.account.delete({ confirm, password: session.password });
  if (target.profile !== null) removeProfile(process.env, target.profile);
  if (flags.json === true) printJson({ deleted: me.id });
  else printLine("Your account is deleted.");
});

function stay(flags: CommonFlags): void {
  if (flags.json === true) printJson({ deleted: null });
  else printLine("Nothing was deleted.");
}

/** A key alone deletes no account, and whoever has no password cannot sign in here. */
function inPages(): CliError {
  return new CliError("This account is not deleted from here.", {
    code: "session_required",
    exit: "no_permission",
    hint: "Settings → Profile → Your data, in the web pages; the account of the server's owner stays.",
  });
}
