import type { PostgresAddress } from "@syla/server/platform/postgres";

/** A `postgres://` URL of a Unix socket: the host is a parameter, since a directory cannot be a URL's host. */
export function databaseUrl({ user, password, host, port, database }: PostgresAddress): string {
  return `postgres://${user}:${encodeURIComponent(password)}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`;
}
