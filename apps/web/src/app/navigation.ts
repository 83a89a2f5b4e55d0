import { Activity, Boxes, Container, House, ListOrdered, type LucideIcon, Play, Settings, Users } from "lucide-react";

/** A place in the sidebar and in the palette. */
export interface Place {
  readonly to: string;
  readonly label: string;
  readonly icon: LucideIcon;
  readonly keys: readonly string[];
  /** Which addresses count as being there. */
  readonly matches: (path: string) => boolean;
  readonly adminOnly?: true;
}

/** The pages one can go to, in the order of the sidebar. */
export const places: readonly Place[] = [
  { to: "/", label: "Home", icon: House, keys: ["g", "h"], matches: (path) => path === "/" },
  { to: "/runs/new", label: "New run", icon: Play, keys: ["n"], matches: (path) => path === "/runs/new" },
  { to: "/runs", label: "Runs", icon: ListOrdered, keys: ["g", "r"], matches: (path) => path.startsWith("/runs") && path !== "/runs/new" },
  { to: "/sandboxes", label: "Sandboxes", icon: Container, keys: ["g", "b"], matches: (path) => path.startsWith("/sandboxes") },
  { to: "/teams", label: "Teams", icon: Users, keys: ["g", "t"], matches: (path) => path.startsWith("/teams") },
  { to: "/workers", label: "Workers", icon: Boxes, keys: ["g", "w"], matches: (path) => path === "/workers", adminOnly: true },
  { to: "/system", label: "System", icon: Activity, keys: ["g", "d"], matches: (path) => path === "/system" },
  { to: "/settings/profile", label: "Settings", icon: Settings, keys: ["g", "s"], matches: (path) => path.startsWith("/settings") },
];
