import type { SpendCapInput } from "@syla/contracts/spend-caps";
import type { AccessLevel, Grant, PersonAccess, ResourceType, Syla, ThingRef } from "@syla/sdk";
import type { Command } from "commander";
import { changeMany } from "../catalog/change-many.ts";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printLine, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { parseDuration } from "../runs/parse-flags.ts";
import { findTeam } from "../teams/find-team.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

const levels: readonly AccessLevel[] = ["view", "run", "edit", "admin"];

interface ShareFlags extends CommonFlags {
  readonly with?: string;
  readonly team?: string;
  readonly link?: boolean;
  readonly level: string;
  readonly expires?: string;
  readonly cap?: string;
}

/** Shares a thing of one type: with a person, with a team, or with whoever has a link. */
export function defineShareCommand(resourceType: ResourceType): Command {
  const command = defineServerCommand("share", `let somebody else use ${withArticle(resourceType)}`)
    .argument(`<${resourceType}...>`, resourceType === "asset" ? "its id; of several the same is done with each" : "its id")
    .option("-w, --with <email>", "a person")
    .option("-t, --team <team>", "a team of yours: its id, slug or name")
    .option("--link", "whoever has the link that is printed")
    .option("-l, --level <level>", "view, run, edit or admin", "view")
    .option("--expires <duration>", "for so long from now: 30m, 12h, 7d")
    .action(async ([resourceId = "", ...others]: string[], flags: ShareFlags) => {
      const level = readLevel(flags.level);
      if ([flags.with, flags.team, flags.link].filter((way) => way !== undefined).length !== 1)
        throw usageError("Say with whom.", "Give one of --with EMAIL, --team TEAM and --link.");
      if (others.length > 0 && (resourceType !== "asset" || flags.link === true))
        throw usageError("Give one id.", "Each link is for one thing.");
      if (others.length > 0 && flags.cap !== undefined) throw usageError("Give one id with --cap.", "Each model has a cap of its own.");
      const { syla } = await connect({ env: process.env, profile: flags.profile });
      const expiresAt = flags.expires === undefined ? null : new Date(Date.now() + parseDuration(flags.expires)).toISOString();
      const input = { resourceType, resourceId, level, expiresAt, ...(flags.cap !== undefined && { cap: readCap(flags.cap) }) };
      if (flags.link === true) {
        const made = await syla.sharing.createLink(input);
        if (flags.json === true) return printJson(made);
        process.stderr.write(`${describeLink(made.anonymous)}\n`);
        return printLine(made.url);
      }
      const whom = flags.with === undefined ? { teamId: (await findTeam(syla, flags.team ?? "")).id } : { email: flags.with };
      if (others.length > 0) {
        const assets = [resourceId, ...others].map((id) => ({ id, name: id }));
        return await changeMany(syla, assets, flags, (ids) => ({ action: "share", ids, level, expiresAt, ...whom }), "is shared");
      }
      const grant = await syla.sharing.share({ ...input, ...whom });
      if (flags.json === true) printJson(grant);
    });
  if (resourceType !== "asset") return command;
  return command.option("--cap <amount>", "of a model: dollars that may be spent by it, 5/day, 20/month or 100 in all; none: any amount");
}

function readCap(text: string): SpendCapInput | null {
  if (text === "none") return null;
  const match = /^(\d+(?:\.\d+)?)(?:\/(day|month))?$/.exec(text);
  if (match === null) throw usageError(`"${text}" is no cap.`, "Write `5/day`, `20/month`, `100` for all time, or `none`.");
  return { amount: Number(match[1]), period: (match[2] as "day" | "month" | undefined) ?? "total" };
}

/** Takes back what was granted to somebody. */
export function defineUnshareCommand(resourceType: ResourceType): Command {
  return defineServerCommand("unshare", `take back what somebody may do with ${withArticle(resourceType)}`)
    .argument(`<${resourceType}>`, "its id")
    .argument("<whom>", "an e-mail address, a team's name, the first characters of a link, or a grant's id (as `access` lists them)")
    .action(async (resourceId: string, whom: string, flags: CommonFlags) => {
      const { syla } = await connect({ env: process.env, profile: flags.profile });
      const grants = (await collectGrants(syla, { resourceType, resourceId })).filter(
        ({ id, subject }) => id === whom || subject.name.toLowerCase() === whom.toLowerCase(),
      );
      if (grants.length === 0) throw usageError(`Nothing was granted to "${whom}".`, `\`access ${resourceId}\` lists the grants.`);
      for (const grant of grants) await syla.sharing.revoke(grant.id);
      if (flags.json === true) printJson({ revoked: grants.map(({ id }) => id) });
    });
}

/** Who has access, and why. */
export function defineAccessCommand(resourceType: ResourceType): Command {
  return defineServerCommand("access", `list who may do what with ${withArticle(resourceType)}, and why`)
    .argument(`<${resourceType}>`, "its id")
    .action(async (resourceId: string, flags: CommonFlags) => {
      const { syla } = await connect({ env: process.env, profile: flags.profile });
      const thing = { resourceType, resourceId };
      const access = await syla.sharing.access(thing);
      if (access.level !== "admin") return flags.json === true ? printJson({ access }) : printLine(access.level);
      const people: PersonAccess[] = [];
      for await (const person of syla.sharing.people(thing)) people.push(person);
      const grants = await collectGrants(syla, thing);
      if (flags.json === true) return printJson({ access, people, grants });
      const links = grants.filter(({ subject }) => subject.type === "link");
      printTable(
        [
          { title: "who", value: (row) => plainLine(row.who) },
          { title: "level", value: (row) => row.level },
          { title: "why", value: (row) => plainLine(row.why) },
        ],
        [
          ...people.map(({ name, level, reasons }) => ({ who: name, level, why: reasons.map(describeReason).join(", ") })),
          ...links.map(({ subject, level, expiresAt, anonymous }) => ({
            who: anonymous === true ? "link, also to view without signing in" : "link, after signing in",
            level,
            why: `${subject.name}…${expiresAt !== null && Date.parse(expiresAt) <= Date.now() ? " (ended)" : ""}`,
          })),
          ...(access.visibility === "public" ? [{ who: "everybody", level: "run", why: "public" }] : []),
        ],
      );
    });
}

/** Who will be able to open a link. */
function describeLink(anonymous: boolean): string {
  return anonymous
    ? "Whoever has this link can view it without signing in; with an account they get what it gives."
    : "It opens for people who sign in; this server opens no such link without.";
}

function describeReason({ type, name }: PersonAccess["reasons"][number]): string {
  return name === null ? type : `${type} ${name}`;
}

async function collectGrants(syla: Syla, thing: ThingRef): Promise<Grant[]> {
  const grants: Grant[] = [];
  for await (const grant of syla.sharing.grants(thing)) grants.push(grant);
  return grants;
}

function withArticle(resourceType: ResourceType): string {
  return resourceType === "asset" ? "an asset" : `a ${resourceType}`;
}

function readLevel(word: string): AccessLevel {
  const level = levels.find((known) => known === word);
  if (level === undefined) throw usageError(`"${word}" is not a level.`, `Write one of ${levels.join(", ")}.`);
  return level;
}
