import { HocuspocusProviderWebsocket } from "@hocuspocus/provider";

/**
 * The client's socket, which keeps nothing for later: what was written without a connection goes with the exchange that begins the next one. Sent
 * again besides, each change would be confirmed twice, and one that is not would count as saved.
 */
export class LiveSocket extends HocuspocusProviderWebsocket {
  /** Not `#`: the client connects before there is one. */
  private isOver?: true;

  /** Also while an earlier connection is still being closed: then another one follows. */
  override async connect(): Promise<unknown> {
    // What was to be tried again after a pause is tried also when that was over before.
    if (this.isOver) return undefined;
    this.shouldConnect = true;
    return await super.connect();
  }

  override destroy(): void {
    this.isOver = true;
    super.destroy();
  }

  override send(message: Parameters<HocuspocusProviderWebsocket["send"]>[0]): void {
    if (this.webSocket?.readyState === WebSocket.OPEN) super.send(message);
  }
}
