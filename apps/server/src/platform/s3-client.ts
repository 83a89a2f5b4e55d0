import { HeadBucketCommand, S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import { AppError } from "@syla/contracts/errors";
import type { Secret } from "./secret.ts";

/** Where a bucket is, and who we are there. */
export interface S3Target {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** In front of every name; empty, or ends in a slash. */
  readonly prefix: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
}

/** A client whose bucket has answered. @throws AppError `storage_unavailable` when the bucket cannot be used */
export async function connectToBucket(target: S3Target): Promise<S3Client> {
  const client = new S3Client({
    endpoint: target.endpoint,
    region: target.region,
    forcePathStyle: true,
    maxAttempts: 4,
    // Other services than Amazon's know no checksums but that of the content's hash.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    credentials: { accessKeyId: target.accessKeyId, secretAccessKey: target.secretAccessKey.reveal() },
  });
  await client.send(new HeadBucketCommand({ Bucket: target.bucket })).catch((cause: unknown) => {
    client.destroy();
    throw bucketError(target, cause);
  });
  return client;
}

/** Why a bucket cannot be used, in words that tell what to correct. */
function bucketError({ endpoint, bucket }: S3Target, cause: unknown): AppError {
  const status = cause instanceof S3ServiceException ? cause.$metadata.httpStatusCode : undefined;
  const why =
    status === 404
      ? `has no bucket "${bucket}"`
      : status === 401 || status === 403
        ? `does not let this key use the bucket "${bucket}"`
        : "does not answer";
  return new AppError("storage_unavailable", { message: `The object store ${endpoint} ${why}.`, cause });
}
