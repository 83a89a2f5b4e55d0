import { readFileSync } from "node:fs";

/** Why a machine refuses a wall of the namespace tier. */
export interface Refusal {
  /** `outer`: bubblewrap itself. `inner`: the namespaces and mounts that the agent makes inside bubblewrap, one set for each run. */
  readonly wall: "outer" | "inner";
  /** What was refused, in the words of who was. */
  readonly said: string;
  /** What an administrator does about it. */
  readonly fix: string;
}

/** Reads a setting of the kernel; null where there is none. */
type ReadSetting = (path: string) => string | null;

const forbidden = /no permissions|permission denied|operation not permitted|does not (?:allow|support)/i;
/** A file of ours that cannot be reached is no matter of namespaces. */
const otherTrouble = /source path|execvp/i;
/** `agent/linux.py` names the call. */
const innerCall = /\[Errno (?:1|13)\] (?:unshare|clone|mount|setns|pivot_root)\b.*|\[Errno 28\] (?:unshare|clone)\b.*/;
/** Where it does not: what the kernel takes by a file. */
const innerMap = /, in map_user\n(?:.*\n)*.*(\[Errno (?:1|13)\].*)/;
const unconfined = "`--security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined`";

/** What a jail that ended said, read for a machine that refuses the walls; null: it ended of something else. */
export function readRefusal(errors: string, read: ReadSetting = readSetting): Refusal | null {
  const outer = errors
    .split("\n")
    .find((line) => line.startsWith("bwrap: ") && forbidden.test(line) && !otherTrouble.test(line))
    ?.slice("bwrap: ".length);
  if (outer !== undefined) return { wall: "outer", said: outer, fix: outerFix(read) };
  const inner = innerCall.exec(errors)?.[0] ?? innerMap.exec(errors)?.[1];
  return inner === undefined ? null : { wall: "inner", said: inner, fix: innerFix(read) };
}

/** One sentence of it for who wanted a sandbox. */
export function explainRefusal({ wall, said }: Refusal): string {
  return wall === "outer"
    ? `This machine does not let bubblewrap make user namespaces: ${said}.`
    : `This machine lets bubblewrap make namespaces, but not the programs in it: ${said}.`;
}

/** The usual reasons, each with its own cure. */
export function outerFix(read: ReadSetting = readSetting): string {
  if (isOn(read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"))) return apparmorFix();
  if (read("/proc/sys/kernel/unprivileged_userns_clone") === "0") return "sysctl -w kernel.unprivileged_userns_clone=1";
  if (read("/proc/sys/user/max_user_namespaces") === "0") return "sysctl -w user.max_user_namespaces=15000";
  return `In a container: start it with ${unconfined}`;
}

function innerFix(read: ReadSetting): string {
  // Ubuntu's profile for bubblewrap lets it make namespaces and takes every capability from what it starts.
  if (isOn(read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")))
    return `${apparmorFix()}. A profile \`bwrap-userns-restrict\` must not be loaded beside it: \`ln -s /etc/apparmor.d/bwrap-userns-restrict /etc/apparmor.d/disable/ && apparmor_parser -R /etc/apparmor.d/bwrap-userns-restrict\``;
  const most = read("/proc/sys/user/max_user_namespaces");
  if (most !== null && Number(most) < 1000) return "sysctl -w user.max_user_namespaces=15000";
  return `A security module forbids namespaces within namespaces: let /usr/bin/bwrap and its children use them. In a container: start it with ${unconfined}`;
}

function apparmorFix(): string {
  const profile = "abi <abi/4.0>,\\ninclude <tunables/global>\\nprofile syla-bwrap /usr/bin/bwrap flags=(unconfined) {\\n  userns,\\n}\\n";
  return `AppArmor restricts user namespaces: \`sysctl -w kernel.apparmor_restrict_unprivileged_userns=0\`, or only for bubblewrap and what it starts: \`printf '${profile}' > /etc/apparmor.d/syla-bwrap && apparmor_parser -r /etc/apparmor.d/syla-bwrap\``;
}

function isOn(setting: string | null): boolean {
  return setting !== null && setting !== "0";
}

function readSetting(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return null;
  }
}
