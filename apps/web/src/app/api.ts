import { Syla } from "@syla/sdk";

/** Where the pages live: the path of `<base href>`, without the slash at its end. Empty at the root. */
export const basePath = new URL(document.baseURI).pathname.replace(/\/$/, "");

/** The one client of these pages. The session cookie says who is asking. */
export const syla = new Syla({ baseUrl: basePath, retry: { maxRetries: 2 } });
