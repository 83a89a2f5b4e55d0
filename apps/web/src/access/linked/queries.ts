import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useClient } from "../../app/client.ts";
import { readText } from "../../programs/queries.ts";

/** The files of the program that a link leads to. */
export function useLinkedFiles(id: string) {
  const { syla } = useClient();
  return useQuery({ queryKey: ["linked-files", id], queryFn: ({ signal }) => syla.programs.files(id, undefined, { signal }) });
}

/** The text of one of its files, if it is any. */
export function useLinkedText(id: string, path: string | undefined) {
  const { syla } = useClient();
  return useQuery({
    queryKey: ["linked-text", id, path],
    queryFn: ({ signal }) => readText(id, path ?? "", undefined, signal, syla),
    enabled: path !== undefined,
  });
}

/** The rows of the dataset that a link leads to, in pages. */
export function useLinkedRows(id: string) {
  const { syla } = useClient();
  return useInfiniteQuery({
    queryKey: ["linked-rows", id],
    queryFn: ({ pageParam, signal }) => syla.datasets.rows(id, { limit: 100, ...(pageParam !== "" && { cursor: pageParam }) }, { signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });
}

/** The Python of the composition that a link leads to. */
export function useLinkedCode(id: string) {
  const { syla } = useClient();
  return useQuery({ queryKey: ["linked-code", id], queryFn: ({ signal }) => syla.compositions.code(id, undefined, { signal }) });
}
