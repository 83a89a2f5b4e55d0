import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";

/** A mail as it arrived. */
export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** The whole message, headers and all. */
  readonly text: string;
}

/** An SMTP server on loopback, which takes everything unless told otherwise. */
export interface TestMailServer {
  readonly url: string;
  readonly received: readonly ReceivedMail[];
  /** From now on: take mails, answer `code` to each recipient, or hold each message back until `accept` again. */
  behave(how: "accept" | "hold" | number): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts one on a free port. */
export async function startMailServer(): Promise<TestMailServer> {
  const received: ReceivedMail[] = [];
  let how: "accept" | "hold" | number = "accept";
  const held: (() => void)[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS", "AUTH"],
    logger: false,
    onRcptTo(_address, _session, done) {
      if (typeof how !== "number") return done();
      done(Object.assign(new Error("refused"), { responseCode: how }));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        const from = mailFrom === false ? "" : mailFrom.address;
        const finish = () => {
          received.push({ from, to: rcptTo.map(({ address }) => address), text: Buffer.concat(chunks).toString() });
          done();
        };
        if (how === "hold") held.push(finish);
        else finish();
      });
    },
  });
  server.on("error", () => undefined); // a client that is cut off is a part of what is tried
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  const { port } = server.server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${port}`,
    received,
    behave(next) {
      how = next;
      if (next === "accept") for (const finish of held.splice(0)) finish();
    },
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
