import type { WorkspaceKind, WorkspaceState } from "@syla/sdk";

/** What each kind is for, and what it gets, in the order in which they are offered. */
export const kinds: readonly { readonly kind: WorkspaceKind; readonly label: string; readonly help: string; readonly gets: string }[] = [
  {
    kind: "persistent",
    label: "Persistent",
    help: "Stays until you delete it; archived when nobody has used it for long.",
    gets: "2 cores, 4 GiB, 20 GiB",
  },
  {
    kind: "session",
    label: "Session",
    help: "For a day of work: over when nobody has used it for a day, and kept then if you say so.",
    gets: "1 core, 2 GiB, 5 GiB",
  },
  {
    kind: "ephemeral",
    label: "Ephemeral",
    help: "To try something: gone minutes after the last run in it. Runs leave nothing in it.",
    gets: "half a core, 512 MiB, 1 GiB",
  },
  {
    kind: "collaborative",
    label: "Collaborative",
    help: "For several people who work in it at once; stays like a persistent one.",
    gets: "4 cores, 8 GiB, 50 GiB",
  },
];

export const kindLabels = Object.fromEntries(kinds.map(({ kind, label }) => [kind, label])) as Readonly<Record<WorkspaceKind, string>>;

export const stateLabels: Readonly<Record<WorkspaceState, string>> = {
  active: "Active",
  suspended: "Suspended",
  archived: "Archived",
  deleted: "Deleted",
};
