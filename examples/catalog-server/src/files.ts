/** Reads and writes metadata.json with the server's own credentials, and purges tables. */
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { CatalogError } from "./errors.js";

export type Files = ReturnType<typeof openFiles>;

export function openFiles(s3: S3Client) {
  return {
    read: (file: string) =>
      saying(file, async () => {
        const { Body } = await s3.send(new GetObjectCommand(objectAt(file)));
        return (await Body?.transformToString()) ?? "";
      }),
    write: (file: string, text: string) =>
      saying(file, () => {
        const ContentType = "application/json";
        return s3.send(new PutObjectCommand({ ...objectAt(file), Body: text, ContentType }));
      }),
    remove: (file: string) => saying(file, () => s3.send(new DeleteObjectCommand(objectAt(file)))),

    /** Deletes every file of a location, and nothing beside it. */
    removeAll: (location: string) =>
      saying(location, async () => {
        const { Bucket, Key } = objectAt(`${location.replace(/\/+$/, "")}/`);
        for (;;) {
          const listed = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: Key }));
          const Objects = (listed.Contents ?? []).map((object) => ({ Key: object.Key }));
          if (Objects.length === 0) return;
          const Delete = { Objects, Quiet: true };
          const { Errors = [] } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete }));
          if (Errors[0] !== undefined) throw new Error(Errors[0].Code);
        }
      }),
  };
}

function objectAt(uri: string): { Bucket: string; Key: string } {
  const [, Bucket = "", Key = ""] = /^\w+:\/\/([^/]+)\/(.*)$/s.exec(uri) ?? [];
  return { Bucket, Key };
}

async function saying<T>(file: string, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    const reason = error instanceof S3ServiceException ? error.name : String(error);
    throw new CatalogError(
      500,
      "ServiceFailureException",
      `The catalog's request for ${file} failed: ${reason}. Check the file, and what the server's own credentials may do.`,
    );
  }
}
