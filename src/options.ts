/**
 * The options of a session policy.
 * @module
 */
import * as z from "zod/mini";
import { SessionPolicyError } from "./errors.ts";

/** How a session policy is made; the defaults are the least privilege. */
export interface SessionPolicyOptions {
  /**
   * `"least-privilege"` (the default), or `"polaris"`: what the Apache Polaris server itself would
   * vend for the same input, quirks included, for tools that predict or compare.
   */
  readonly profile?: "least-privilege" | "polaris" | undefined;
  /**
   * Most characters that the serialized policy may have, 2,048 unless told: the limit of STS.
   * `Infinity` is allowed, for policies that are not meant for STS.
   */
  readonly maxLength?: number | undefined;
  /**
   * Whether KMS statements demand that S3 makes the request (`kms:ViaService`). Left out, they do
   * wherever AWS documents the service's name. `false` never demands it; `true` insists, and is an
   * error where the condition can't be formed.
   */
  readonly kmsViaService?: boolean | undefined;
  /** Whether reading includes older versions of an object: `s3:GetObjectVersion`. Default false. */
  readonly objectVersions?: boolean | undefined;
  /** Whether writing includes giving up an upload: `s3:AbortMultipartUpload`. Default false. */
  readonly abortMultipartUploads?: boolean | undefined;
}

/** The length that STS allows the `Policy` parameter of AssumeRole. */
const STS_LIMIT = 2048;

/** The options with their defaults. */
export interface Options {
  readonly profile: "least-privilege" | "polaris";
  readonly maxLength: number;
  readonly kmsViaService?: boolean | undefined;
  readonly objectVersions: boolean;
  readonly abortMultipartUploads: boolean;
}

const DEFAULTS: Readonly<Options> = {
  profile: "least-privilege",
  maxLength: STS_LIMIT,
  objectVersions: false,
  abortMultipartUploads: false,
};

const flag = z.boolean({ error: "must be true or false." });
const profile = z.enum(["least-privilege", "polaris"], {
  error: 'must be "least-privilege" or "polaris".',
});
const length = z.custom<number>(
  (value) => value === Infinity || (Number.isInteger(value) && Number(value) > 0),
  { error: "must be a whole number of characters above 0, or Infinity." },
);

const schema = z.strictObject(
  {
    profile: z._default(profile, DEFAULTS.profile),
    maxLength: z._default(length, DEFAULTS.maxLength),
    kmsViaService: z.optional(flag),
    objectVersions: z._default(flag, DEFAULTS.objectVersions),
    abortMultipartUploads: z._default(flag, DEFAULTS.abortMultipartUploads),
  },
  {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? "There is no such option: use profile, maxLength, kmsViaService, objectVersions and abortMultipartUploads."
        : "The options must be an object.",
  },
);

/** @throws SessionPolicyError `INVALID_OPTIONS` */
export function parseOptions(input?: SessionPolicyOptions): Options {
  if (input === undefined) return DEFAULTS;
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new SessionPolicyError(
    "INVALID_OPTIONS",
    parsed.error.issues.map(({ path, message }) => ({ path: path.map(String), message })),
  );
}
