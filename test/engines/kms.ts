/**
 * Plays SSE-KMS in front of the gateway, which cannot judge KMS statements. A bucket has a default key,
 * and an object remembers the key it was written with. Every use of a key must be allowed by session
 * policy, role policy and key policy, each judged by test/support/iam.ts.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
 */
import { type AnyPolicy, allows, allowsKey, asList } from "../support/iam.ts";
import { type Call, type Judge, type ProxyOptions, type Session, userOf } from "./proxy.ts";

export interface Kms {
  /** The default key of each bucket. */
  readonly bucketKeys: Map<string, string>;
  /** Returns the key policy of a key. */
  readonly keyPolicyOf: (key: string) => AnyPolicy;
  readonly rolePolicy: AnyPolicy;
  readonly region: string;
}

/** What the proxy needs to play a store with KMS, and the calls of KMS that were refused. */
export function playKms(kms: Kms) {
  const objectKeys = new Map<string, string>();
  const refusals: string[] = [];

  function refusedUse(session: Session, action: string, resource: string): string | undefined {
    const context = { "kms:ViaService": `s3.${kms.region}.amazonaws.com` };
    const request = { action, resource, context, principal: userOf(session) };
    const { rolePolicy } = kms;
    if (allowsKey(kms.keyPolicyOf(resource), [rolePolicy, session.policy], request)) return;
    const kind = !allows(session.policy, request)
      ? "session"
      : allows(rolePolicy, request)
        ? "resource-based"
        : "identity-based";
    const sentence = `User: ${userOf(session)} is not authorized to perform: ${action} on resource: ${resource} because no ${kind} policy allows the ${action} action`;
    refusals.push(action);
    return sentence;
  }

  /** The uses of keys that a call makes, in S3's order. */
  function usesOf({ method, bucket, key, query, headers }: Call): [action: string, key: string][] {
    const own = kms.bucketKeys.get(bucket);
    const ofObject = objectKeys.get(`${bucket}/${key}`);
    if (key === "" || query.has("list-type") || query.has("prefix")) return [];
    if (method === "GET") return ofObject === undefined ? [] : [["kms:Decrypt", ofObject]];
    if ((method !== "PUT" && method !== "POST") || own === undefined) return [];
    const isPart = query.has("uploadId");
    const source = String(headers["x-amz-copy-source"] ?? "").replace(/^\//, "");
    const copied = objectKeys.get(decodeURIComponent(source));
    return [
      ...(copied === undefined ? [] : [["kms:Decrypt", copied] satisfies [string, string]]),
      ["kms:GenerateDataKey", own],
      ...(isPart ? [["kms:Decrypt", own] satisfies [string, string]] : []),
    ];
  }

  const judge: Judge = (call, session, answered) => {
    if (answered !== undefined) return;
    for (const [action, key] of usesOf(call)) {
      const sentence = refusedUse(session, action, key);
      if (sentence !== undefined) return sentence;
    }
    return;
  };

  const options: ProxyOptions = {
    judges: [judge],
    onPolicy: (policy) => ({
      ...policy,
      Statement: asList(policy.Statement).filter(
        ({ Action }) => !asList(Action ?? []).some((action) => action.startsWith("kms:")),
      ),
    }),
    // The catalog's own requests pass: its credentials are not a session's, and their files have no key.
    onDone: ({ method, bucket, key, query }, session, status) => {
      const writes = method === "PUT" || (method === "POST" && query.has("uploadId"));
      const bucketKey = kms.bucketKeys.get(bucket);
      if (session === undefined || !writes || key === "" || status !== 200) return;
      if (bucketKey !== undefined) objectKeys.set(`${bucket}/${key}`, bucketKey);
    },
  };
  return { options, refusals };
}
