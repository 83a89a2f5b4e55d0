import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

/** Encrypts short texts for one purpose with a key of the data directory. */
export interface SealedText {
  seal(text: string, context: string): string;
  /** @throws Error when the text was changed, or sealed for another context or by another key */
  open(sealed: string, context: string): string;
}

const algorithm = "aes-256-gcm";

/** AES-256-GCM; what a text belongs to (`context`) is authenticated, so that it cannot be moved to another row. */
export function createSealedText(secret: string, purpose: string): SealedText {
  const key = Buffer.from(hkdfSync("sha256", secret, "", `syla:${purpose}`, 32));
  return {
    seal(text, context) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(context));
      const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return ["v1", nonce, cipher.getAuthTag(), body]
        .map((part) => (typeof part === "string" ? part : part.toString("base64url")))
        .join(".");
    },
    open(sealed, context) {
      const [version, nonce = "", tag = "", body = ""] = sealed.split(".");
      if (version !== "v1") throw new Error("not a sealed text");
      const decipher = createDecipheriv(algorithm, key, Buffer.from(nonce, "base64url"), { authTagLength: 16 });
      decipher.setAAD(Buffer.from(context)).setAuthTag(Buffer.from(tag, "base64url"));
      return Buffer.concat([decipher.update(Buffer.from(body, "base64url")), decipher.final()]).toString("utf8");
    },
  };
}
