import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printFields, printJson } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const authStatusCommand: Command = defineServerCommand("status", "which server is used, and who you are there").action(
  async (flags: CommonFlags) => {
    const { syla, target } = await connect({ env: process.env, profile: flags.profile });
    const user = await syla.me.get();
    const { url, source, profile } = target;
    if (flags.json === true) return printJson({ url, source, profile, user });
    const because = { SYLA_URL: "from SYLA_URL", profile: `profile ${profile}`, local: "the server of this machine" }[source];
    printFields([
      ["server", `${url} (${because})`],
      ["user", `${plainLine(user.name)}${user.email === null ? "" : ` <${plainLine(user.email)}>`}`],
      ["role", user.role],
      ["id", user.id],
    ]);
  },
);
