import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { createTemporaryDirectory } from "./temporary-directory.ts";

const script = join(import.meta.dirname, "../s3/serve_swift.py");
/** The packages are Debian's, so the interpreter has to be too. */
const python = "/usr/bin/python3";
const modules = "import swift.common.wsgi, swift.obj.mem_server, swift.container.server, swift.account.server, swift.proxy.server";

/** Whether the tests with an S3 service can run here; `npm test` says how to get it. */
export const hasS3: boolean = spawnSync(python, ["-c", modules]).status === 0;

/** An S3 service of the test's own, on loopback, with one empty bucket. Signatures are checked. */
export interface TestS3 extends AsyncDisposable {
  readonly endpoint: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** A client of the service itself, to look at what is there and to damage it. */
  readonly client: S3Client;
  /** The settings of a server that keeps its content there. */
  readonly variables: Readonly<Record<string, string>>;
}

/** Starts Debian's OpenStack Swift with its s3api. */
export async function startTestS3(): Promise<TestS3> {
  const directory = createTemporaryDirectory();
  const [accessKeyId, secretAccessKey, bucket] = ["test:tester", "secret-of-the-test", "content"];
  const child = spawn(python, [script, directory.path, accessKeyId, secretAccessKey], { stdio: ["pipe", "pipe", "pipe"] });
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
  const port = await Promise.race([
    once(child.stdout, "data").then(([line]) => Number(String(line))),
    once(child, "exit").then(() => Promise.reject(new Error(`the S3 service did not start: ${complaint}`))),
  ]);
  const endpoint = `http://127.0.0.1:${port}`;
  const client = new S3Client({
    endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    requestChecksumCalculation: "WHEN_REQUIRED",
    credentials: { accessKeyId, secretAccessKey },
  });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  return {
    endpoint,
    bucket,
    accessKeyId,
    secretAccessKey,
    client,
    variables: {
      SYLA_STORAGE: "s3",
      SYLA_S3_ENDPOINT: endpoint,
      SYLA_S3_BUCKET: bucket,
      SYLA_S3_ACCESS_KEY_ID: accessKeyId,
      SYLA_S3_SECRET_ACCESS_KEY: secretAccessKey,
    },
    [Symbol.asyncDispose]: async () => {
      client.destroy();
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
      directory[Symbol.dispose]();
    },
  };
}
