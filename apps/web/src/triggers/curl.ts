import type { Trigger } from "@syla/sdk";

/** A command that calls it, for whoever has the secret in `SECRET`. */
export function curlOf({ url, auth }: Pick<Trigger, "url" | "auth">): string {
  const send = `curl "${url}" -H "content-type: application/json" --data-binary "$BODY"`;
  switch (auth) {
    case "bearer":
      return `BODY='{"hello":"world"}'\n${send} -H "authorization: Bearer $SECRET"`;
    case "github":
      return [
        `BODY='{"hello":"world"}'`,
        `SIGNATURE=$(printf %s "$BODY" | openssl dgst -sha256 -hmac "$SECRET" -r | cut -d" " -f1)`,
        `${send} -H "x-github-delivery: $(date +%s)" -H "x-hub-signature-256: sha256=$SIGNATURE"`,
      ].join("\n");
    case "standard":
      return [
        `BODY='{"hello":"world"}' ID=msg_$(date +%s%N) TIME=$(date +%s)`,
        `KEY=$(printf %s "\${SECRET#whsec_}" | base64 -d | od -An -v -tx1 | tr -d " \\n")`,
        `SIGNATURE=$(printf %s "$ID.$TIME.$BODY" | openssl dgst -sha256 -mac HMAC -macopt hexkey:$KEY -binary | base64)`,
        `${send} -H "webhook-id: $ID" -H "webhook-timestamp: $TIME" -H "webhook-signature: v1,$SIGNATURE"`,
      ].join("\n");
  }
}
