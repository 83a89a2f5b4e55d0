/** Reads a file, or a part of it. */
export type ReadFile = (options: {
  readonly signal?: AbortSignal;
  readonly range?: { readonly start: number; readonly end: number };
}) => Promise<Response>;

/** The bytes of a file by its hash, or the first so many: equal content is read once. */
export function fileQuery(sha256: string, part: number | null, read: ReadFile) {
  return {
    queryKey: ["file", sha256, part],
    queryFn: async ({ signal }: { readonly signal: AbortSignal }) =>
      new Uint8Array(await (await read({ signal, ...(part === null ? {} : { range: { start: 0, end: part } }) })).arrayBuffer()),
    staleTime: Number.POSITIVE_INFINITY,
  };
}
