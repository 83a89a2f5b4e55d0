import type { HttpServer } from "../platform/http.ts";
import type { Actor } from "./actor.ts";

/** The HTTP server as the domains bind to it: its actor is ours. */
export type Http = HttpServer<Actor>;
