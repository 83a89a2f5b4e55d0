import type { NotificationPreferences, Notifications } from "@syla/sdk";
import { type Command, Option } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printFields, printJson, printLine, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { collect, type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly on: readonly string[];
  readonly off: readonly string[];
  readonly digest?: NotificationPreferences["digest"];
  readonly quietHours?: string;
  readonly timeZone?: string;
  readonly webhookUrl?: string;
}
type Change = Parameters<Notifications["preferences"]["update"]>[0];

const channelOf = { "in-app": "inApp", email: "email", webhook: "webhook" } as const;
type ChannelName = keyof typeof channelOf;
const isChannel = (name: string): name is ChannelName => Object.hasOwn(channelOf, name);

export const notificationsPreferencesCommand: Command = defineServerCommand("preferences", "show or change where you are told of what")
  .option("--on <type:channel>", "say this there, e.g. run_finished:email; in-app, email, webhook. May be given several times", collect, [])
  .option("--off <type:channel>", "do not say it there", collect, [])
  .addOption(new Option("--digest <often>", "how often mails come").choices(["immediate", "daily", "weekly", "never"]))
  .option("--quiet-hours <from-to>", "when mails and webhooks wait, e.g. 22:00-07:00, or none")
  .option("--time-zone <zone>", "whose clock that is, e.g. Europe/Oslo")
  .option("--webhook-url <url>", "where webhooks go, or none")
  .action(async (flags: Flags) => {
    const switches = [...flags.on.map((text) => readSwitch(text, true)), ...flags.off.map((text) => readSwitch(text, false))];
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { preferences } = syla.notifications;
    const before = await preferences.get();
    const change: Change = {
      ...(switches.length > 0 && { types: switched(before, switches) }),
      ...(flags.digest !== undefined && { digest: flags.digest }),
      ...(flags.quietHours !== undefined && { quietHours: readHours(flags.quietHours) }),
      ...(flags.timeZone !== undefined && { timeZone: flags.timeZone }),
      ...(flags.webhookUrl !== undefined && { webhookUrl: flags.webhookUrl === "none" ? null : flags.webhookUrl }),
    };
    const now = Object.keys(change).length === 0 ? before : await preferences.update(change);
    if (flags.json === true) printJson(now);
    else print(now);
  });

interface Switch {
  readonly type: string;
  readonly channel: (typeof channelOf)[ChannelName];
  readonly value: boolean;
}

function readSwitch(text: string, value: boolean): Switch {
  const [type = "", channel = "", ...rest] = text.split(":");
  if (isChannel(channel) && rest.length === 0) return { type, channel: channelOf[channel], value };
  throw usageError(`"${text}" is no type and channel.`, "Write it like run_finished:email; channels are in-app, email and webhook.");
}

/** What the types that are named are said by from now on. */
function switched({ types }: NotificationPreferences, switches: readonly Switch[]): NonNullable<Change["types"]> {
  const next: Record<string, NotificationPreferences["types"]["system"]> = {};
  for (const { type, channel, value } of switches) {
    const known = Object.entries(types).find(([name]) => name === type)?.[1];
    if (known === undefined) throw usageError(`"${type}" is no type of notification.`, `There are ${Object.keys(types).join(", ")}.`);
    next[type] = { ...(next[type] ?? known), [channel]: value };
  }
  return next;
}

function readHours(text: string): { from: string; to: string } | null {
  if (text === "none") return null;
  const [from, to, ...rest] = text.split("-");
  if (from === undefined || to === undefined || rest.length > 0)
    throw usageError(`"${text}" is no time from and to.`, "Write it like 22:00-07:00, or none.");
  return { from, to };
}

function print({ types, digest, quietHours, timeZone, webhookUrl }: NotificationPreferences): void {
  const mark = (isOn: boolean) => (isOn ? "on" : "-");
  printTable(
    [
      { title: "type", value: ([type]) => type },
      { title: "in-app", value: ([, { inApp }]) => mark(inApp) },
      { title: "email", value: ([, { email }]) => mark(email) },
      { title: "webhook", value: ([, { webhook }]) => mark(webhook) },
    ],
    Object.entries(types),
  );
  if (!process.stdout.isTTY) return; // lines of one kind in a pipe
  printLine();
  printFields([
    ["mails", digest],
    ["quiet hours", quietHours === null ? "none" : `${quietHours.from}-${quietHours.to}`],
    ["time zone", plainLine(timeZone)],
    ["webhook", plainLine(webhookUrl ?? "none")],
  ]);
}
