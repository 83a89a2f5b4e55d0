import { DeleteObjectCommand, GetObjectCommand, paginateListObjectsV2, PutObjectCommand, S3ServiceException } from "@aws-sdk/client-s3";
import { connectToBucket, type S3Target } from "../../platform/s3-client.ts";
import { withPlace, type ObjectStore } from "./objects.ts";

/** Objects in a bucket of any S3-compatible service, which has to be there. @throws AppError `storage_unavailable` */
export async function openBucket(target: S3Target): Promise<ObjectStore> {
  const client = await connectToBucket(target);
  const { bucket: Bucket, prefix } = target;
  const place = `s3://${Bucket}/${prefix}`;
  const keyOf = (name: string) => prefix + name;
  return {
    place,
    put: (name, bytes) =>
      withPlace(place, async () => {
        await client.send(new PutObjectCommand({ Bucket, Key: keyOf(name), Body: bytes, ContentLength: bytes.length }));
      }),
    get: (name) =>
      withPlace(place, async () => {
        const answer = await client.send(new GetObjectCommand({ Bucket, Key: keyOf(name) })).catch(ignoreMissing);
        return answer === undefined ? undefined : Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
      }),
    list: async function* (folder) {
      const pages = paginateListObjectsV2({ client }, { Bucket, Prefix: keyOf(`${folder}/`) })[Symbol.asyncIterator]();
      for (;;) {
        const page = await withPlace(place, () => pages.next());
        if (page.done === true) return;
        for (const { Key = "", Size = 0 } of page.value.Contents ?? []) yield { name: Key.slice(prefix.length), size: Size };
      }
    },
    delete: (name) =>
      withPlace(place, async () => {
        await client.send(new DeleteObjectCommand({ Bucket, Key: keyOf(name) })).catch(ignoreMissing);
      }),
    close: () => client.destroy(),
  };
}

function ignoreMissing(error: unknown): undefined {
  if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404) return undefined;
  throw error;
}
