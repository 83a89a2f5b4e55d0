import type { Command } from "commander";
import { defineAccessCommand, defineShareCommand, defineUnshareCommand } from "../commands/share.ts";

/** The verbs of what can be shared. */
export function sharing(type: "run" | "sandbox" | "asset" | "workspace"): Command[] {
  const access = defineAccessCommand(type);
  if (type === "workspace") access.alias("members");
  return [defineShareCommand(type), defineUnshareCommand(type), access];
}
