import { spawn } from "node:child_process";

/** Opens a page in the person's browser, if there is one; nothing depends on it. */
export function openBrowser(url: string): void {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) return;
  const [command = "", ...args] = process.platform === "darwin" ? ["open", url] : ["xdg-open", url];
  const child = spawn(command, args, { stdio: "ignore", detached: true });
  child.on("error", () => undefined);
  child.unref();
}
