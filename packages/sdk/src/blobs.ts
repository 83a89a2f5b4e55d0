import type { CallOptions, RawContent, Transport } from "./transport.ts";

/** Content that was stored: name it as `blob` in the files of a run. */
export interface UploadedBlob {
  readonly sha256: string;
  readonly size: number;
}

/** Content, addressed by its SHA-256. */
export interface Blobs {
  /** Uploads bytes, a Blob or a stream. Bytes and Blobs are sent again after a lost connection; a stream cannot be. */
  upload(content: RawContent | string, options?: CallOptions): Promise<UploadedBlob>;
  /** Which of these you have not uploaded yet. */
  missing(hashes: readonly string[], options?: CallOptions): Promise<readonly string[]>;
}

export function createBlobs(transport: Transport): Blobs {
  return {
    upload: (content, options = {}) => {
      const body = typeof content === "string" ? new TextEncoder().encode(content) : content;
      return transport.json("uploadBlob", { timeoutMs: 0, ...options, body, repeatable: true });
    },
    missing: async (hashes, options = {}) =>
      hashes.length === 0
        ? []
        : (await transport.json("findMissingBlobs", { ...options, body: { sha256: [...hashes] }, repeatable: true })).missing,
  };
}
