/**
 * The options of a session policy.
 * @module
 */
import * as z from "zod/mini";
import { issuesOf, SessionPolicyError } from "./errors.ts";

/** How a session policy is made. The defaults grant the least. */
export interface SessionPolicyOptions {
  /**
   * `"least-privilege"` (the default), or `"polaris"`: what the Apache Polaris server itself would
   * vend for the same input, with its quirks. It is for tools that predict or compare.
   */
  readonly profile?: "least-privilege" | "polaris" | undefined;
  /**
   * The most characters of the serialized policy. The default is 2,048, the limit of STS. `Infinity` is
   * allowed, for policies that are not for STS.
   */
  readonly maxLength?: number | undefined;
  /**
   * Whether KMS statements allow only requests that S3 makes (`kms:ViaService`). By default they do so
   * wherever AWS documents S3's name for it. With `false` they never do. `true` is an error where the name
   * is unknown.
   */
  readonly kmsViaService?: boolean | undefined;
  /** Whether reading includes older versions of an object: `s3:GetObjectVersion`. Default false. */
  readonly objectVersions?: boolean | undefined;
  /** Whether writing includes aborting an upload: `s3:AbortMultipartUpload`. Default false. */
  readonly abortMultipartUploads?: boolean | undefined;
  /**
   * Whether writing includes listing uploads in parts: `s3:ListMultipartUploadParts`, and
   * `s3:ListBucketMultipartUploads` where a location is a whole bucket. Default false.
   */
  readonly listMultipartUploads?: boolean | undefined;
  /** Whether reading and writing include the tags of objects. Default false. */
  readonly objectTags?: boolean | undefined;
  /** Whether writing includes the ACLs of objects: `s3:PutObjectAcl`. Default false. */
  readonly objectAcls?: boolean | undefined;
  /**
   * Whether a location's own name, without the slash, can be read as a key and listed as a prefix.
   * Hadoop's S3A needs it. The list also shows names of siblings that begin with it. Default false.
   */
  readonly barePaths?: boolean | undefined;
}

/** The options that add actions, each off by default. */
export const ADDITIONS = [
  "objectVersions",
  "abortMultipartUploads",
  "listMultipartUploads",
  "objectTags",
  "objectAcls",
  "barePaths",
] as const;

/** An option that adds actions. */
export type Addition = (typeof ADDITIONS)[number];

/** The options with their defaults. */
export type Options = { readonly [A in Addition]: boolean } & {
  readonly profile: "least-privilege" | "polaris";
  readonly maxLength: number;
  readonly kmsViaService?: boolean | undefined;
};

/** The length that STS allows the `Policy` parameter of AssumeRole. */
const STS_LIMIT = 2048;

const flag = z.boolean({ error: "must be true or false." });
const off = z._default(flag, false);
const profile = z.enum(["least-privilege", "polaris"], {
  error: 'must be "least-privilege" or "polaris".',
});
const length = z.custom<number>(
  (value) => value === Infinity || (Number.isInteger(value) && Number(value) > 0),
  { error: "must be a whole number of characters above 0, or Infinity." },
);

const fields = {
  profile: z._default(profile, "least-privilege"),
  maxLength: z._default(length, STS_LIMIT),
  kmsViaService: z.optional(flag),
  objectVersions: off,
  abortMultipartUploads: off,
  listMultipartUploads: off,
  objectTags: off,
  objectAcls: off,
  barePaths: off,
} satisfies { readonly [Name in keyof Options]-?: unknown };

const schema = z.strictObject(fields, {
  error: (issue) =>
    issue.code === "unrecognized_keys"
      ? `An option is unknown. Use ${Object.keys(fields).join(", ")}.`
      : "The options must be an object. Pass one, or leave it out.",
});

const DEFAULTS: Options = /* @__PURE__ */ schema.parse({});

/** @throws SessionPolicyError `INVALID_OPTIONS` */
export function parseOptions(input?: SessionPolicyOptions): Options {
  if (input === undefined) return DEFAULTS;
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new SessionPolicyError("INVALID_OPTIONS", issuesOf(parsed.error));
}
