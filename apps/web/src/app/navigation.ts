import {
  Activity,
  Bell,
  Boxes,
  BrainCircuit,
  CalendarClock,
  ChartColumn,
  Container,
  FolderGit2,
  FolderSearch,
  House,
  Library,
  KeySquare,
  ListOrdered,
  PackageOpen,
  type LucideIcon,
  MailPlus,
  Play,
  ScrollText,
  Settings,
  ShieldCheck,
  Users,
  Webhook,
} from "lucide-react";

/** What belongs together in the sidebar; `top` has no heading. */
export type PlaceGroup = "top" | "Library" | "Compute" | "Account" | "Administration";

/** The groups in the order of the sidebar. */
export const placeGroups: readonly PlaceGroup[] = ["top", "Library", "Compute", "Account", "Administration"];

/** A place in the sidebar and in the palette. */
export interface Place {
  readonly to: string;
  readonly label: string;
  readonly group: PlaceGroup;
  readonly icon: LucideIcon;
  readonly keys: readonly string[];
  /** Which addresses count as being there. */
  readonly matches: (path: string) => boolean;
  readonly adminOnly?: true;
}

/** The pages one can go to, in the order of the sidebar. */
export const places: readonly Place[] = [
  { to: "/", label: "Home", group: "top", icon: House, keys: ["g", "h"], matches: (path) => path === "/" },
  { to: "/runs/new", label: "New run", group: "top", icon: Play, keys: ["n"], matches: (path) => path === "/runs/new" },
  {
    to: "/runs",
    label: "Runs",
    group: "Compute",
    icon: ListOrdered,
    keys: ["g", "r"],
    matches: (path) => path.startsWith("/runs") && path !== "/runs/new",
  },
  {
    to: "/schedules",
    label: "Schedules",
    group: "Compute",
    icon: CalendarClock,
    keys: ["g", "j"],
    matches: (path) => path === "/schedules",
  },
  {
    to: "/catalog",
    label: "Catalog",
    group: "Library",
    icon: Library,
    keys: ["g", "c"],
    matches: (path) => /^\/(catalog|programs|datasets)(\/|$)/.test(path),
  },
  { to: "/analyze", label: "Analyze", group: "Library", icon: FolderSearch, keys: ["g", "y"], matches: (path) => path === "/analyze" },
  {
    to: "/sandboxes",
    label: "Sandboxes",
    group: "Compute",
    icon: Container,
    keys: ["g", "b"],
    matches: (path) => path.startsWith("/sandboxes"),
  },
  {
    to: "/workspaces",
    label: "Workspaces",
    group: "Compute",
    icon: FolderGit2,
    keys: ["g", "p"],
    matches: (path) => path.startsWith("/workspaces"),
  },
  {
    to: "/environments",
    label: "Environments",
    group: "Library",
    icon: PackageOpen,
    keys: ["g", "e"],
    matches: (path) => path.startsWith("/environments"),
  },
  { to: "/models", label: "Models", group: "Library", icon: BrainCircuit, keys: ["g", "m"], matches: (path) => path.startsWith("/models") },
  {
    to: "/credentials",
    label: "Credentials",
    group: "Library",
    icon: KeySquare,
    keys: ["g", "k"],
    matches: (path) => path === "/credentials",
  },
  { to: "/teams", label: "Teams", group: "Account", icon: Users, keys: ["g", "t"], matches: (path) => path.startsWith("/teams") },
  {
    to: "/notifications",
    label: "Notifications",
    group: "Account",
    icon: Bell,
    keys: ["g", "n"],
    matches: (path) => path === "/notifications",
  },
  {
    to: "/webhooks",
    label: "Webhooks",
    group: "Account",
    icon: Webhook,
    keys: ["g", "o"],
    matches: (path) => path.startsWith("/webhooks"),
  },
  {
    to: "/workers",
    label: "Workers",
    group: "Administration",
    icon: Boxes,
    keys: ["g", "w"],
    matches: (path) => path === "/workers",
    adminOnly: true,
  },
  {
    to: "/invitations",
    label: "Invitations",
    group: "Administration",
    icon: MailPlus,
    keys: ["g", "i"],
    matches: (path) => path === "/invitations",
    adminOnly: true,
  },
  {
    to: "/admin/overview",
    label: "Administration",
    group: "Administration",
    icon: ShieldCheck,
    keys: ["g", "a"],
    matches: (path) => path.startsWith("/admin"),
    adminOnly: true,
  },
  { to: "/usage", label: "Usage", group: "Account", icon: ChartColumn, keys: ["g", "u"], matches: (path) => path === "/usage" },
  {
    to: "/audit",
    label: "Audit",
    group: "Administration",
    icon: ScrollText,
    keys: ["g", "l"],
    matches: (path) => path === "/audit",
    adminOnly: true,
  },
  { to: "/system", label: "System", group: "Administration", icon: Activity, keys: ["g", "d"], matches: (path) => path === "/system" },
  {
    to: "/settings/profile",
    label: "Settings",
    group: "Account",
    icon: Settings,
    keys: ["g", "s"],
    matches: (path) => path.startsWith("/settings"),
  },
];
