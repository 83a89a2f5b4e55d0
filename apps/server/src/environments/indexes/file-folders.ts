import type { RoutedIndex } from "./routing.ts";

/** More than any build needs; each costs some hundred bytes. */
const mostFolders = 200_000;

/** Where a file lies, and whose it is. */
export interface FoundFile {
  readonly index: RoutedIndex;
  readonly url: URL;
}

/** The folders of files that pages of a build have named: nothing else can be fetched. */
export interface FileFolders {
  /** A path that leads to the file. @throws Error when there are too many folders */
  pathOf(index: RoutedIndex, url: URL): string;
  /** What such a path, with its query, leads to; null for every other. */
  find(path: string): FoundFile | null;
}

export function createFileFolders(most = mostFolders): FileFolders {
  const folders: { readonly index: RoutedIndex; readonly url: string }[] = [];
  const numbers = new Map<string, number>();
  return {
    pathOf(index, url) {
      const end = url.pathname.lastIndexOf("/") + 1;
      const folder = `${url.origin}${url.pathname.slice(0, end)}`;
      const key = `${index.id} ${folder}`;
      let number = numbers.get(key);
      if (number === undefined) {
        if (folders.length >= most) throw new Error("its pages name too many folders");
        number = folders.push({ index, url: folder }) - 1;
        numbers.set(key, number);
      }
      return `/files/${number}/${url.pathname.slice(end)}${url.search}`;
    },
    find(path) {
      const [, number, file = "", query = ""] = /^\/files\/(\d{1,6})\/([^/?#]{1,500})(\?[^#]*)?$/.exec(path) ?? [];
      const folder = folders[Number(number)];
      // What an index may take for a step to another folder.
      if (folder === undefined || /\\|%(?:2f|5c)/i.test(file) || !URL.canParse(`${folder.url}${file}${query}`)) return null;
      const [url, base] = [new URL(`${folder.url}${file}${query}`), new URL(folder.url)];
      if (url.origin !== base.origin || !url.pathname.startsWith(base.pathname)) return null;
      const rest = url.pathname.slice(base.pathname.length);
      return rest === "" || rest.includes("/") ? null : { index: folder.index, url };
    },
  };
}
