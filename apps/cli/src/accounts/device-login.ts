import { setTimeout as sleep } from "node:timers/promises";
import { hostname, userInfo } from "node:os";
import { type Me, Syla, SylaError } from "@syla/sdk";
import { plainLine } from "../output/terminal-text.ts";
import { openBrowser } from "./open-browser.ts";

/** What came of it: a key of its own for this machine. */
export interface DeviceKey {
  readonly key: string;
  readonly user: Me;
  readonly expiresAt: string | null;
}

/** How the key is called in the person's list. */
function clientName(): string {
  const name = `syla on ${hostname()}`;
  try {
    return `${name} (${userInfo().username})`.slice(0, 100);
  } catch {
    return name.slice(0, 100);
  }
}

/** Shows a code, opens the page that confirms it, and waits until somebody has decided (RFC 8628). */
export async function loginWithDevice(url: string, options: { browser: boolean }): Promise<DeviceKey> {
  const { deviceCodes } = new Syla({ baseUrl: url, headers: { "user-agent": "syla-cli" }, retry: { maxRetries: 3 } });
  const code = await deviceCodes.create(clientName());
  process.stderr.write(
    `Open ${plainLine(code.verificationUrlComplete)}\nand check that it shows the code ${plainLine(code.userCode)}. It counts for ${Math.round(code.expiresIn / 60)} minutes.\n`,
  );
  if (options.browser) openBrowser(code.verificationUrlComplete);
  for (let seconds = code.interval; ;) {
    await sleep(seconds * 1000);
    try {
      return await deviceCodes.redeem(code.deviceCode);
    } catch (error) {
      const pending = error instanceof SylaError && ["authorization_pending", "slow_down"].includes(error.code);
      if (!pending) throw error;
      if (error.code === "slow_down") seconds += 5;
    }
  }
}
