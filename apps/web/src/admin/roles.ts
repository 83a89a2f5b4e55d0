import type { Role } from "@syla/sdk";

/** The roles, from the one that may least. */
export const roles = ["end_user", "developer", "admin"] as const satisfies readonly Role[];

/** How they are called. */
export const roleNames: Readonly<Record<Role, string>> = { admin: "Administrator", developer: "Developer", end_user: "End user" };
