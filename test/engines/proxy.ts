/**
 * A proxy in front of the gateway. It records the requests of engines, and answers as S3 does where the
 * gateway does not: each such answer names its AWS page. What a session may do is judged by
 * test/support/iam.ts, not by the code under test.
 */
import { createServer, type IncomingHttpHeaders, request as send } from "node:http";
import { DeleteObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import type { Gateway } from "../server/gateway.ts";
import { type AnyPolicy, allows } from "../support/iam.ts";

/** One request of an engine, as docs/engines.md shows it. */
export interface TracedRequest {
  readonly method: string;
  readonly key: string;
  readonly status: number;
}

export interface Session {
  readonly name: string;
  readonly policy: AnyPolicy;
}

export interface Call {
  readonly method: string;
  readonly bucket: string;
  /** The object's key, or a list's prefix. */
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Judges a call before the gateway does: a sentence denies it. */
export type Judge = (call: Call, session: Session, answered?: number) => string | undefined;

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface ProxyOptions {
  /** Changes the policy that a catalog asks STS for, to plant a fault or to keep statements apart. */
  readonly onPolicy?: (policy: AnyPolicy) => AnyPolicy | string;
  readonly judges?: readonly Judge[];
  readonly onDone?: (call: Call, session: Session | undefined, status: number) => void;
}

export async function startProxy(gateway: Gateway, options: ProxyOptions = {}) {
  const { accessKeyId, secretAccessKey, endpoint } = gateway;
  const target = new URL(endpoint);
  const credentials = { accessKeyId, secretAccessKey };
  const common = { endpoint, region: "us-east-1", maxAttempts: 1, credentials };
  const sts = new STSClient(common);
  const admin = new S3Client({ ...common, forcePathStyle: true });
  const sessions = new Map<string, Session>();
  const traces: { session: Session | undefined; request: TracedRequest }[] = [];
  /** Faults that are planted in the policies of sessions, one after the other. */
  const planted: ((policy: AnyPolicy) => AnyPolicy)[] = [];

  async function assumeRole(form: URLSearchParams): Promise<Reply> {
    const asked = JSON.parse(form.get("Policy") ?? "{}") as AnyPolicy;
    const policy = planted.reduce((changed, plant) => plant(changed), asked);
    const forGateway = options.onPolicy?.(policy) ?? policy;
    const text = typeof forGateway === "string" ? forGateway : JSON.stringify(forGateway);
    const name = form.get("RoleSessionName") ?? "";
    try {
      const { Credentials } = await sts.send(
        new AssumeRoleCommand({
          RoleArn: form.get("RoleArn") ?? undefined,
          RoleSessionName: name,
          DurationSeconds: Number(form.get("DurationSeconds") ?? 3600),
          Policy: text,
        }),
      );
      const { AccessKeyId = "", SecretAccessKey = "", SessionToken = "" } = Credentials ?? {};
      sessions.set(AccessKeyId, { name, policy });
      const ends = Credentials?.Expiration?.toISOString();
      const keys = `<AccessKeyId>${AccessKeyId}</AccessKeyId><SecretAccessKey>${SecretAccessKey}</SecretAccessKey><SessionToken>${SessionToken}</SessionToken><Expiration>${ends}</Expiration>`;
      return xml(
        200,
        `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>${keys}</Credentials></AssumeRoleResult></AssumeRoleResponse>`,
      );
    } catch (error) {
      const code = (error as Error).name;
      return xml(
        400,
        `<ErrorResponse><Error><Code>${code}</Code><Message>${code}</Message></Error></ErrorResponse>`,
      );
    }
  }

  /** Sends the request on as it is: the signature covers the host, which stays the proxy's. */
  function forward(path: string, { method, headers, body }: Call): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = target;
      const outgoing = send({ hostname, port, path, method, headers }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("end", () => {
          const { statusCode: status = 500, headers } = incoming;
          resolve({ status, headers, body: Buffer.concat(chunks) });
        });
      });
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  }

  async function replyTo(path: string, call: Call, session: Session | undefined): Promise<Reply> {
    if (session === undefined) return forward(path, call);
    if (call.query.has("delete")) return deleteEach(call, session);
    for (const judge of [...S3_JUDGES, ...(options.judges ?? [])]) {
      const sentence = judge(call, session);
      if (sentence !== undefined) return denied(sentence);
    }
    const reply = isEmptyInChunks(call) ? await putEmpty(call, session) : await forward(path, call);
    for (const judge of [...S3_JUDGES, ...(options.judges ?? [])]) {
      const sentence = judge(call, session, reply.status);
      if (sentence !== undefined) return denied(sentence);
    }
    return reply.status === 403 ? denied(refusal(session, ...needOf(call))) : reply;
  }

  /** The gateway finds fault with the signature of an empty object that is sent in chunks. */
  async function putEmpty({ bucket, key }: Call, session: Session): Promise<Reply> {
    const resource = `arn:aws:s3:::${bucket}/${key}`;
    const action = "s3:PutObject";
    if (!allows(session.policy, { action, resource })) {
      return denied(refusal(session, action, resource));
    }
    const { ETag } = await admin.send(
      new PutObjectCommand({ Bucket: bucket, Key: key, Body: "", ContentLength: 0 }),
    );
    return { status: 200, headers: { etag: ETag, "content-length": "0" }, body: Buffer.alloc(0) };
  }

  /**
   * S3 judges each key of a batch, the gateway the batch.
   * https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
   */
  async function deleteEach({ bucket, body }: Call, session: Session): Promise<Reply> {
    const results: string[] = [];
    for (const [, escaped = ""] of body.toString().matchAll(/<Key>(.*?)<\/Key>/gs)) {
      const Key = unescapeXml(escaped);
      const resource = `arn:aws:s3:::${bucket}/${Key}`;
      if (allows(session.policy, { action: "s3:DeleteObject", resource })) {
        await admin.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
        results.push(`<Deleted><Key>${escaped}</Key></Deleted>`);
      } else {
        const message = escapeXml(refusal(session, "s3:DeleteObject", resource));
        results.push(
          `<Error><Key>${escaped}</Key><Code>AccessDenied</Code><Message>${message}</Message></Error>`,
        );
      }
    }
    return xml(
      200,
      `<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${results.join("")}</DeleteResult>`,
    );
  }

  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", async () => {
      const { method = "", url: path = "/", headers } = incoming;
      const body = Buffer.concat(chunks);
      const url = new URL(path, "http://proxy");
      const form = new URLSearchParams(body.toString("latin1").slice(0, 20_000));
      const isAssumeRole = method === "POST" && path === "/" && form.get("Action") === "AssumeRole";
      const [, bucket = "", object = ""] = /^\/([^/]*)\/?(.*)$/s.exec(url.pathname) ?? [];
      const key = decodeURIComponent(object) || (url.searchParams.get("prefix") ?? "");
      const call = { method, bucket, key, query: url.searchParams, headers, body };
      const id = /Credential=([^/]+)\//.exec(headers.authorization ?? "")?.[1] ?? "";
      const session = sessions.get(id);
      try {
        const reply = isAssumeRole
          ? await assumeRole(new URLSearchParams(body.toString()))
          : await replyTo(path, call, session);
        // What a batch refuses is in its body.
        const refused = call.query.has("delete") && reply.body.includes("<Error>");
        const status = refused ? 403 : reply.status;
        const request = { method: nameOf(call), key, status };
        if (!isAssumeRole && id !== accessKeyId) traces.push({ session, request });
        options.onDone?.(call, session, reply.status);
        const { "transfer-encoding": _, ...replyHeaders } = reply.headers;
        response.writeHead(reply.status, replyHeaders);
        response.end(method === "HEAD" ? undefined : reply.body);
      } catch {
        response.writeHead(500).end();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("There is no address.");
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    planted,
    /** Takes out the requests of sessions for this folder, or to it. */
    take(folder: string): TracedRequest[] {
      const isOf = ({ session, request }: (typeof traces)[number]) =>
        request.key.includes(`/${folder}`) ||
        JSON.stringify(session?.policy ?? "").includes(`/${folder}/`);
      const taken = traces.filter(isOf);
      const others = traces.filter((trace) => !isOf(trace));
      traces.splice(0, traces.length, ...others);
      return taken.map(({ request }) => request);
    },
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The action and resource that a call needs first. */
export function needOf({ method, bucket, key, query }: Call): [action: string, resource: string] {
  const ofBucket = `arn:aws:s3:::${bucket}`;
  const isList = query.has("list-type") || query.has("prefix") || query.has("delimiter");
  if (isList || key === "") {
    return [query.has("location") ? "s3:GetBucketLocation" : "s3:ListBucket", ofBucket];
  }
  const object = `${ofBucket}/${key}`;
  if (method === "GET" || method === "HEAD") return ["s3:GetObject", object];
  if (method !== "DELETE") return ["s3:PutObject", object];
  return [query.has("uploadId") ? "s3:AbortMultipartUpload" : "s3:DeleteObject", object];
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html */
function isEmptyInChunks({ method, query, headers }: Call): boolean {
  return (
    method === "PUT" && !query.has("uploadId") && headers["x-amz-decoded-content-length"] === "0"
  );
}

/** What S3 answers and the gateway does not. */
const S3_JUDGES: readonly Judge[] = [
  // "If you don't have the s3:ListBucket permission, Amazon S3 returns … 403" for a missing key.
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
  ({ method, bucket, key }, session, answered) => {
    if (answered !== 404 || (method !== "GET" && method !== "HEAD") || key === "") return;
    const resource = `arn:aws:s3:::${bucket}`;
    const asked = { action: "s3:ListBucket", resource, context: { "s3:prefix": key } };
    return allows(session.policy, asked) ? undefined : refusal(session, asked.action, resource);
  },
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html ("Permissions")
  ({ method, headers, ...call }, session, answered) => {
    if (answered !== undefined || method === "GET" || method === "HEAD") return;
    const resource = `arn:aws:s3:::${call.bucket}/${call.key}`;
    for (const [header, action] of [
      ["x-amz-tagging", "s3:PutObjectTagging"],
      ["x-amz-acl", "s3:PutObjectAcl"],
    ] as const) {
      if (headers[header] === undefined) continue;
      if (!allows(session.policy, { action, resource })) return refusal(session, action, resource);
    }
    return;
  },
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html
  ({ method, query, bucket, key }, session, answered) => {
    if (answered !== undefined || method !== "DELETE" || !query.has("uploadId")) return;
    const asked = { action: "s3:AbortMultipartUpload", resource: `arn:aws:s3:::${bucket}/${key}` };
    return allows(session.policy, asked)
      ? undefined
      : refusal(session, asked.action, asked.resource);
  },
];

export function userOf({ name }: Session): string {
  return `arn:aws:sts::123456789012:assumed-role/polaris/${name}`;
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html */
function refusal(session: Session, action: string, resource: string): string {
  return `User: ${userOf(session)} is not authorized to perform: ${action} on resource: "${resource}" because no session policy allows the ${action} action`;
}

function denied(sentence: string): Reply {
  return xml(
    403,
    `<Error><Code>AccessDenied</Code><Message>${escapeXml(sentence)}</Message><RequestId>EXAMPLE</RequestId></Error>`,
  );
}

function xml(status: number, text: string): Reply {
  const body = Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${text}`);
  const headers = { "content-type": "application/xml", "content-length": String(body.length) };
  return { status, headers, body };
}

function nameOf({ method, key, query, headers }: Call): string {
  if (query.has("delete")) return "batch delete";
  if (query.has("uploadId") && method === "DELETE") return "abort";
  if (query.has("uploads") || query.has("uploadId")) return "multipart";
  if (query.has("location")) return "GET location";
  if (query.has("list-type") || query.has("prefix") || query.has("delimiter")) return "LIST";
  if (key === "") return `${method} bucket`;
  if (headers["x-amz-copy-source"] !== undefined) return "copy";
  return method;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&apos;": "'",
  "&amp;": "&",
};
const unescapeXml = (text: string) =>
  text.replace(/&\w+;/g, (entity) => ENTITIES[entity] ?? entity);
const escapeXml = (text: string) =>
  text.replace(/[<>&"]/g, (c) => Object.entries(ENTITIES).find(([, is]) => is === c)?.[0] ?? c);
