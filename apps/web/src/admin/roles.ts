import type { Role } from "@syla/sdk";

/** The roles, from the one that may least. */
export const roles = ["end_user", "developer", "admin"] as const satisfies readonly Role[];

/** How they are called. */
export const roleNames: Readonly<Record<Role, string>> = { admin: "Administrator", developer: "Developer", end_user: "End user" };

/** What each may do, in a line. */
export const roleNotes: Readonly<Record<Role, string>> = {
  admin: "Administers people, quotas, settings and the system’s models, and sees everything.",
  developer: "Makes programs, models, datasets and teams, and runs them.",
  end_user: "Views and runs what is shared or public, and owns nothing but runs and passing sandboxes.",
};
