/**
 * Says what was decided: one row a cause, with its sentences and its row in docs/troubleshooting.md.
 * @module
 */
import type { Access } from "../locations.ts";
import type { Cause, Decision, Facts } from "./causes.ts";

interface Row {
  /** The explanation. */
  readonly say: (facts: Facts) => string;
  /** The heading of docs/troubleshooting.md that the cause stands below. */
  readonly anchor: string;
  /** What the cause means, and what to change, for the table of docs/troubleshooting.md. */
  readonly means: string;
  readonly change: string;
}

/** The explanation of a decision. */
export function explain({ cause, facts }: Decision): string {
  return WORDS[cause].say(facts);
}

/** Where the documents tell more of a cause. */
export function docsOf(cause: Cause): string {
  return `docs/troubleshooting.md#${WORDS[cause].anchor}`;
}

function and(words: readonly string[] = []): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** The action or the operation that was asked for. */
function asked({ denial }: Facts): string {
  return denial.action ?? denial.operation ?? "the request";
}

/** Where a request went, for messages whose place was read from the text around them. */
function where({ denial }: Facts): string {
  const { resource, bucket, key } = denial;
  if (resource !== undefined) return resource;
  if (bucket === undefined) return key === undefined ? "" : key;
  return `s3://${bucket}/${key ?? ""}`;
}

function on(facts: Facts): string {
  const place = where(facts);
  return place === "" ? "" : ` on ${place}`;
}

/** `a read`, for the accesses of a request. */
function access(accesses: readonly Access[] | undefined): string {
  return and(accesses ?? ["read"]);
}

function policyArn({ denial }: Facts): string {
  return denial.policyArn === undefined ? "" : ` (${denial.policyArn})`;
}

/** What a policy elsewhere must do. */
function mustAllow(facts: Facts): string {
  return facts.denial.explicit
    ? `It denies ${asked(facts)} explicitly: narrow the Deny statement there.`
    : `It must allow ${asked(facts)}.`;
}

const LOGGED = " The refusal was only logged: the operation reported success, and the files stay.";

const OTHER_SERVICES: Readonly<Record<string, string>> = {
  s3express:
    "S3 Express: the bucket is a directory bucket, which has requests and policies of its own. Polaris vends no sessions for a directory bucket; use a general purpose bucket.",
  s3tables:
    "Amazon S3 Tables, another service: its table buckets have a catalog of their own, and Polaris' sessions have nothing to do with it.",
  lakeformation:
    "AWS Lake Formation, another service: take the location out of its registered locations, or use its own credentials.",
  glue: "AWS Glue, another service: the engine asks Glue's catalog instead of Polaris. Configure Polaris' REST catalog in the engine.",
};

const WEB_IDENTITY =
  "The pod's or job's own role could not be assumed with its web identity token. Check the OpenID Connect provider of the account, and the role's trust policy: its audience and subject must match the service account.";

const GUARD_TAIL = "Polaris' configuration can't.";

/** The sentences. A row is a cause; the order is the table's in docs/troubleshooting.md. */
export const WORDS: Readonly<Record<Cause, Row>> = {
  "kms-key-not-configured": {
    say: ({ variant, what, detail }) => {
      if (variant === "unnamed") {
        return "The message does not name the key. `aws s3api head-object` prints the key of an object (SSEKMSKeyId); it must be the storage configuration's currentKmsKey (--current-kms-key), or one of allowedKmsKeys (--allowed-kms-key) if only older data is encrypted with it.";
      }
      if (variant === "impossible") {
        return `The storage configuration lacks ${what}, and can't have it: the key is of another partition or form than the role and the region. S3 only uses keys of its own region.`;
      }
      const lacks = `The session policy does not name the key ${what}, as it is not in the catalog's storage configuration.`;
      if (variant?.endsWith("several")) {
        return `${lacks} The catalog has several buckets, and both keys may be in use: keep the present one, and name both in encryptionKeys (--encryption-key).${detail ?? ""}`;
      }
      return variant === "encrypts"
        ? `${lacks} It encrypts new data, so it must be currentKmsKey (--current-kms-key).`
        : `${lacks} Make it currentKmsKey (--current-kms-key) if new data is encrypted with it, or add it to allowedKmsKeys (--allowed-kms-key) if only older data is.`;
    },
    anchor: "keys",
    means: "the storage configuration does not have the key",
    change:
      "`currentKmsKey` if it encrypts new data, else `allowedKmsKeys`; `encryptionKeys` where several buckets have keys of their own",
  },
  "kms-key-read-only": {
    say: ({ what, variant }) =>
      variant === "several buckets"
        ? `S3 encrypts new data with ${what}, but the storage configuration allows this key for reading only. The catalog has several buckets, and both keys may be in use: name both in encryptionKeys (--encryption-key).`
        : `S3 encrypts new data with ${what}, but the storage configuration allows this key for reading only. Make it currentKmsKey (--current-kms-key)${variant === "no other" ? "" : ", and keep the present one in allowedKmsKeys (--allowed-kms-key), or data encrypted with that can't be read any more"}.`,
    anchor: "keys",
    means: "the key is only for reading, but S3 encrypts with it",
    change: "`currentKmsKey`; the present one goes to `allowedKmsKeys`",
  },
  "kms-key-is-alias": {
    say: ({ variant, what }) =>
      variant === "in message"
        ? `The request named the alias ${what}, and a policy that names an alias grants no use of the key behind it. An alias in a bucket's default encryption, or aws/s3, resolves in the requester's account: configure the full key ARN there and in the catalog.`
        : `${variant} of the storage configuration is an alias, and a policy that names an alias grants no use of the key behind it. If it stands for ${what}, configure this ARN instead; \`aws kms describe-key --key-id ALIAS\` tells.`,
    anchor: "keys",
    means: "a key is named by an alias, which grants nothing",
    change: "the ARN of the key behind it, in the catalog and in the bucket's encryption",
  },
  "kms-unavailable": {
    say: ({ variant }) =>
      `The storage configuration says kmsUnavailable, and its sessions get no KMS keys at all. Unset it (leave --no-kms out)${variant === "configured" ? "." : " and configure the key."}`,
    anchor: "keys",
    means: "`kmsUnavailable` is set (`--no-kms`)",
    change: "unset it",
  },
  "kms-not-through-s3": {
    say: () =>
      "The session policy allows the key for S3 on the session's behalf (kms:ViaService), and this request went to KMS itself. Let S3 encrypt (SSE-KMS), or drop that condition.",
    anchor: "keys",
    means: "the engine encrypts by itself and asks KMS directly",
    change: "let S3 encrypt; or the option `kmsViaService: false`, which grants more",
  },
  "kms-key-cross-account": {
    say: ({ what = "" }) => {
      const [owner, caller] = what.split(" ");
      return `The key is of account ${owner}, the session of ${caller}: the key's policy must allow the role, and the role's own policy must allow the key. The session policy is not at fault.`;
    },
    anchor: "keys",
    means: "the key is of another account than the session",
    change: "the key's policy and the role's policy: both statements are shown",
  },
  "kms-key-disabled": {
    say: () =>
      "The key is disabled: nothing encrypted with it can be read until it is enabled again (aws kms enable-key). No policy changes that.",
    anchor: "keys",
    means: "the key is disabled",
    change: "enable it; no policy helps",
  },
  "kms-key-pending-deletion": {
    say: () =>
      "The key is scheduled for deletion, after which all data encrypted with it is lost. Cancel it at once if the data is needed (aws kms cancel-key-deletion, then aws kms enable-key).",
    anchor: "keys",
    means: "the key is going to be deleted",
    change: "cancel the deletion at once",
  },
  "kms-key-not-usable": {
    say: () =>
      "The key is in a state in which it can't be used: its material is not imported, or its key store is not connected (aws kms describe-key tells). No policy changes that.",
    anchor: "keys",
    means: "the key has no material, or its store is not connected",
    change: "the key; no policy helps",
  },
  "kms-key-not-found": {
    say: () =>
      "KMS does not know the key in the bucket's region: it was deleted, or the bucket's encryption names a key that never was or that lies in another region.",
    anchor: "keys",
    means: "there is no such key in the bucket's region",
    change: "the bucket's encryption",
  },
  "kms-key-wrong-region": {
    say: () =>
      "The key lies in another region than the bucket, and S3 only uses keys of its own. Encrypt the bucket with a key of its region, and configure that one.",
    anchor: "keys",
    means: "the key lies in another region than the bucket",
    change: "a key of the bucket's region",
  },
  "location-not-allowed": {
    say: ({ what, variant }) =>
      variant === "refused"
        ? `Polaris refused the location ${what}: a table must lie below the allowedLocations of the catalog's storage configuration, and below the location of its namespace. Give the table another location, or the namespace the one that is meant.`
        : `The storage configuration's allowedLocations do not include ${what}, so no session of the catalog gets it. If the catalog should have data there, add it (--allowed-location); else the table's metadata points to a wrong place.`,
    anchor: "locations-and-accesses",
    means: "the location is outside the catalog's `allowedLocations`",
    change: "`allowedLocations`, if the data belongs to the catalog",
  },
  "location-not-granted": {
    say: (facts) => {
      const { variant, lacks } = facts;
      if (variant === "nowhere") {
        return `The message does not say where. The session needs the location among those to ${access(lacks)}.`;
      }
      if (variant === "unknown") {
        return `The session may not ${access(lacks)} here. Its locations were not passed in; they need this one.`;
      }
      if (variant === "wide") {
        return `The session was granted nothing around${on(facts).replace(/^ on/, "")}. No location is proposed: the folder is a whole bucket, or holds other tables.`;
      }
      if (variant === "cut") {
        return "The message breaks off amid the name of the object, so no location is proposed. Look up the whole message in the log.";
      }
      return `The session was granted other locations, but not this one. Grant it the location to ${access(lacks)}.`;
    },
    anchor: "locations-and-accesses",
    means: "the session has no access to this location",
    change: "a location more",
  },
  "access-not-granted": {
    say: ({ variant, has, lacks, denial, logged }) => {
      if (variant === "key") {
        return `The storage configuration has the key, but the session may ${access(lacks)} nothing, and gets ${denial.action} only with that. Grant it the table's location to ${access(lacks)}.`;
      }
      const may = has?.length ? `may ${and(has)}` : "has nothing";
      const place = variant === "anywhere" ? "" : " here";
      const check =
        variant === "new file"
          ? " The engine checked that a new file is not there yet, and S3 tells that only to who may list."
          : "";
      return `The session ${may}${place}, but not ${and(lacks)}. Grant it the location to ${and(lacks)} as well.${check}${logged ? LOGGED : ""}`;
    },
    anchor: "locations-and-accesses",
    means: "the session has the location for another access",
    change:
      "the location, for this access too; in Polaris, the privilege TABLE_WRITE_DATA or TABLE_READ_DATA",
  },
  "bare-path": {
    say: ({ what }) =>
      `The engine asked for the location's own name, ${what}, as if it were an object: a probe for a directory. A session that may do everything below it is denied this. Set the option barePaths (Hadoop's S3A needs it), or let the engine name the files.`,
    anchor: "locations-and-accesses",
    means: "the request was for the location's own name, without the slash",
    change: "the option `barePaths`; never a wider location",
  },
  "list-prefix": {
    say: ({ variant }) => {
      if (variant === "bucket") {
        return "The request was for the bucket itself, which needs to list all of it: no session of a table may. Switch it off in the client: pyarrow's write_dataset has create_dir=False.";
      }
      if (variant === "uploads") {
        return "Lists of uploads know no prefix, so only a session of the whole bucket gets them. Let the engine list the parts of an upload, not the uploads of a bucket.";
      }
      return "The session may list in this bucket, but only under its locations: the request had no prefix, one without the slash at its end, or another one. Let the engine list with the location and a slash as prefix.";
    },
    anchor: "locations-and-accesses",
    means: "the list request had no prefix, or one outside the granted locations",
    change: "the engine: it must list with the location and a slash",
  },
  "object-may-be-missing": {
    say: ({ variant }) =>
      variant === "list"
        ? "The session reads here and may not list. S3 answers a read of an object that is not there with a denial of s3:ListBucket, or with a bare 403: see first whether the object exists. Granting the list would only turn this answer into a 404."
        : "The session may read here, and may not list. S3 answers 403 instead of 404 to such a session if the object is not there: see first whether it exists.",
    anchor: "locations-and-accesses",
    means: "the session may not list, and S3 answers 403 for an object that is not there",
    change: "the object's name, or the table's metadata; granting list turns the answer into a 404",
  },
  "option-not-set": {
    say: ({ denial, what }) =>
      `Sessions get ${denial.action} only if asked for: set the option ${what}${what === "listMultipartUploads" && /Uploads$/i.test(denial.action ?? "") ? ", which grants it where a location is a whole bucket" : ""}. If no one needs it, switch off the engine's setting that asks for it.`,
    anchor: "locations-and-accesses",
    means: "tags, ACLs, versions or lists of uploads were not asked for",
    change: "the option that is named, or the engine's setting",
  },
  "nothing-granted": {
    say: () =>
      "The session was granted no location at all, and is denied everything. Grant it the table's.",
    anchor: "locations-and-accesses",
    means: "the session was made for no location at all",
    change: "the locations",
  },
  "action-never-granted": {
    say: ({ denial, session, detail }) => {
      const { action = "" } = denial;
      const service = (detail ?? action.split(":")[0] ?? "").toLowerCase();
      const known = OTHER_SERVICES[service];
      if (known !== undefined) return `${action || "This"} is a request to ${known}`;
      if (service !== "s3" && service !== "kms") {
        return `${action} is a request to another service, ${service}: the session policy has nothing to do with it. Use other credentials for it than the vended ones.`;
      }
      const profile = session.options.profile === "polaris" ? ' in profile "polaris"' : "";
      return `No session policy of Polaris' kind${profile} grants ${action}: reading, listing, writing and deleting a table's files does not need it. Turn off the setting of the engine that asks for it.`;
    },
    anchor: "locations-and-accesses",
    means: "no table access needs this action, or it is another service's",
    change: "the engine's setting that asks for it",
  },
  "access-point": {
    say: ({ denial }) =>
      `The request went through an access point (${denial.resource}), and S3 judges it by the access point's ARN. The session policy names the bucket, so it allows nothing there. Let the engine use the bucket's name.`,
    anchor: "locations-and-accesses",
    means: "the request went through an access point, which no session policy names",
    change: "the engine's endpoint or bucket name",
  },
  "session-outdated": {
    say: (facts) => {
      const { variant, lacks } = facts;
      if (variant === "key") {
        return `The storage configuration has the key, for sessions that may ${access(lacks)}. Either this one may not, or it was made of an older configuration: let the engine fetch new credentials.`;
      }
      if (variant === "direct") {
        return "The session policy of this configuration allows the key to S3 on the session's behalf, and this request went to KMS itself, as client-side encryption does. Either the session is older than the configuration, or S3 should encrypt instead.";
      }
      return "The session policy of this configuration allows the request. The session was made of an older one, or by other software: let the engine fetch new credentials, and see that the catalog runs with this configuration.";
    },
    anchor: "locations-and-accesses",
    means: "the policy of this configuration allows the request",
    change: "new credentials; the catalog's configuration in use",
  },
  "other-policy": {
    say: (facts) =>
      `The session policy of this configuration allows ${asked(facts)}${on(facts)}, so what denied it is elsewhere. The alternatives name what to look at.`,
    anchor: "locations-and-accesses",
    means: "this configuration allows the request, and the message does not say who denied it",
    change:
      "one of the alternatives: the role's, bucket's, key's or organization's policy, an older session",
  },
  "not-a-session-of-this-catalog": {
    say: ({ denial }) =>
      `The request was made by ${denial.principal}, which is not a session of the catalog's role: the engine did not use vended credentials. Switch them on: send the header X-Iceberg-Access-Delegation: vended-credentials, and give the engine no keys or role of its own. Nothing is to be changed in the catalog, its role or its bucket.`,
    anchor: "credentials",
    means: "the engine used other credentials than the vended ones",
    change: "the engine: `X-Iceberg-Access-Delegation: vended-credentials`, no static keys",
  },
  "no-credentials": {
    say: ({ variant }) =>
      `${variant === "anonymous" ? "The request was sent without credentials." : "The engine found no credentials to sign requests with."} It did not ask for vended ones, or its file system ignores them: send the header X-Iceberg-Access-Delegation: vended-credentials, and use S3FileIO (Hadoop's S3A takes none from the catalog).`,
    anchor: "credentials",
    means: "the request had no credentials",
    change:
      "the engine: `X-Iceberg-Access-Delegation: vended-credentials`, and a FileIO that takes them",
  },
  "credentials-expired": {
    say: () =>
      "The session's credentials have expired. Let the client refresh them (client.refresh-credentials-endpoint, which Polaris sends with the table), load the table again, or make sessions longer.",
    anchor: "credentials",
    means: "the session ended",
    change: "refresh: `client.refresh-credentials-endpoint`, or load the table again",
  },
  "credentials-unknown": {
    say: () =>
      "The service does not know the access key or the session token: it is of another partition or store, incomplete, or deleted. Pass the token with the key. For a store without STS, set stsUnavailable (--no-sts) in Polaris and give the engine keys of the store.",
    anchor: "credentials",
    means: "the service does not know the credentials",
    change: "all three values of the vended credentials; `--no-sts` for stores without STS",
  },
  "signature-mismatch": {
    say: () =>
      "The signature does not match: the secret key is wrong or was changed on its way, or a proxy or endpoint rewrites the request. Check the engine's endpoint, region and path style against the catalog's.",
    anchor: "credentials",
    means: "the secret key, the endpoint or a proxy is wrong",
    change: "the engine's endpoint, region, path style and secret",
  },
  "clock-skew": {
    say: () =>
      "The clock of the machine that sent the request is more than fifteen minutes off. Set it (NTP); no policy is at fault.",
    anchor: "credentials",
    means: "the sender's clock is off",
    change: "the clock",
  },
  "policy-too-large": {
    say: ({ detail, session }) => {
      const packed = detail === undefined ? "" : ` (${detail}% of what is allowed)`;
      const own =
        session.policyLength === undefined
          ? ""
          : ` The policy of these locations has ${session.policyLength} of 2,048 characters.`;
      return `STS packs the session policy and the session tags together, and they are too large${packed}.${own} Split the locations over sessions (planSessionPolicies, \`plan\`), grant one common parent, or drop tags (SESSION_TAGS_IN_SUBSCOPED_CREDENTIAL).`;
    },
    anchor: "requests-to-sts",
    means: "policy and tags exceed STS' packed size",
    change: "fewer locations a session (`plan`), fewer or shorter tags",
  },
  "policy-malformed": {
    say: ({ detail }) =>
      detail !== undefined
        ? "STS refused the request without a reason, as stores other than AWS do. It may not read KMS statements: set kmsUnavailable (--no-kms). If the store has no STS, set stsUnavailable (--no-sts)."
        : "STS could not read the session policy: it was cut, changed, or built by hand. Pass the text of serializePolicy unchanged. A store other than AWS may refuse KMS statements: set kmsUnavailable (--no-kms).",
    anchor: "requests-to-sts",
    means: "STS could not read the session policy",
    change: "the policy's text; `--no-kms` for stores that refuse KMS statements",
  },
  "session-tags": {
    say: ({ detail }) =>
      detail !== undefined
        ? "STS refuses the session tags of the request: there are too many, or one is too long or holds a character that tags can't have. Shorten them, or leave SESSION_TAGS_IN_SUBSCOPED_CREDENTIAL empty."
        : "Polaris sends session tags, and may not: sts:TagSession is another action than sts:AssumeRole. Allow both in the role's trust policy, or leave SESSION_TAGS_IN_SUBSCOPED_CREDENTIAL empty.",
    anchor: "requests-to-sts",
    means: "Polaris may not set session tags",
    change: "sts:TagSession in the trust policy, or `SESSION_TAGS_IN_SUBSCOPED_CREDENTIAL`",
  },
  "session-duration": {
    say: () =>
      "The session is longer than allowed. A role's MaxSessionDuration is the limit, and one hour if Polaris itself runs with a role (role chaining). Shorten STORAGE_CREDENTIAL_DURATION_SECONDS in Polaris, or raise MaxSessionDuration.",
    anchor: "requests-to-sts",
    means: "the session is longer than the role or role chaining allows",
    change: "Polaris' `STORAGE_CREDENTIAL_DURATION_SECONDS`, or the role's MaxSessionDuration",
  },
  "sts-region": {
    say: ({ detail }) =>
      detail !== undefined
        ? "The store has no STS, or its STS lacks what Polaris asks for. Set stsUnavailable (--no-sts), or stsEndpoint if the store's STS has an address of its own."
        : "STS is not active in this region for the account. Activate it in the account settings of IAM, or set another region or stsEndpoint in the storage configuration.",
    anchor: "requests-to-sts",
    means: "STS is not active in the region, or the store has none",
    change: "the account's STS settings, or the configuration's `stsEndpoint` or `stsUnavailable`",
  },
  "web-identity": {
    say: () => WEB_IDENTITY,
    anchor: "requests-to-sts",
    means: "the pod's own role could not be assumed with its token",
    change: "the OpenID Connect provider and the role's trust policy",
  },
  "role-trust": {
    say: ({ variant, what }) => {
      if (variant === "root") {
        return "Roles can't be assumed by the root of an account. Run Polaris as a user or a role, and let the catalog's role trust that.";
      }
      const role = what ?? "the catalog's role";
      if (variant === "foreign") {
        return `The caller may not assume ${role}, and it is not the user that the storage configuration names for Polaris (userArn). If it is Polaris, correct userArn and the role's trust policy; else nothing is to be changed.`;
      }
      return `Polaris may not assume ${role}. The role's trust policy must allow it to Polaris' own user or role${variant === "external id" ? ", with the catalog's external id for EXTERNAL_ID" : ""}; the own policy of that must allow it too, if it is of another account.`;
    },
    anchor: "requests-to-sts",
    means: "Polaris may not assume the role",
    change: "the role's trust policy: the statement is shown",
  },
  "role-policy": {
    say: (facts) => {
      const { variant, denial } = facts;
      if (variant === "polaris") {
        return `Polaris' own user or role, which makes the sessions, may not do this: ${denial.explicit ? "a Deny statement of its own policy must be narrowed." : "its own policy must allow it. Add the statement there."}`;
      }
      return denial.explicit
        ? `A policy of the role${policyArn(facts)} denies ${asked(facts)} explicitly: a Deny statement there must be narrowed. A session policy can't give back what the role lacks.`
        : "The role itself may not do this, and a session gets no more than its role. Add the statement to the role's policy, for all keys and locations of the catalog.";
    },
    anchor: "policies-elsewhere",
    means: "the role itself may not",
    change: "the role's policy: the statement is shown",
  },
  "key-policy": {
    say: (facts) =>
      `The key's own policy ${facts.denial.explicit ? "denies" : "does not allow"} ${asked(facts)} to the role${facts.denial.perhapsMissing ? ", or the key does not exist in the bucket's region" : ""}. Whoever administers the key must allow it.`,
    anchor: "policies-elsewhere",
    means: "the key's own policy does not let the role",
    change: "the key's policy: the statement is shown",
  },
  "bucket-policy": {
    say: (facts) => {
      const { denial } = facts;
      const usual = denial.explicit
        ? " Look for the usual conditions of its Deny statements: TLS (aws:SecureTransport), an encryption header (s3:x-amz-server-side-encryption), a VPC endpoint (aws:SourceVpce), an organization (aws:PrincipalOrgID)."
        : "";
      return `The bucket policy${policyArn(facts)} ${denial.explicit ? "denies" : "does not allow"} ${asked(facts)}; it is the bucket's owner who can change it.${usual}`;
    },
    anchor: "policies-elsewhere",
    means: "the bucket's policy denies",
    change: "the bucket's policy; of an explicit deny, the condition that does not hold",
  },
  "object-locked": {
    say: () =>
      "The object is protected by object lock until its retention or legal hold ends. No grant helps; expire snapshots after the retention, or shorten it.",
    anchor: "policies-elsewhere",
    means: "object lock protects the object",
    change: "the retention; no grant helps",
  },
  "public-access-block": {
    say: ({ detail }) =>
      detail?.startsWith("bucket")
        ? "The bucket has ACLs switched off (Object Ownership). Leave ACLs out of the engine's settings (s3.acl); do not open the bucket."
        : `S3 Block Public Access${detail === undefined ? "" : ` (${detail})`} refuses public ACLs and policies. Leave ACLs out of the engine's settings (s3.acl); do not open the bucket.`,
    anchor: "policies-elsewhere",
    means: "S3 Block Public Access refuses a public ACL or policy",
    change: "the engine's ACL setting",
  },
  "permissions-boundary": {
    say: (facts) =>
      `Denied by the role's permissions boundary, which whoever made the role has set${policyArn(facts)}. ${mustAllow(facts)} ${GUARD_TAIL}`,
    anchor: "policies-elsewhere",
    means: "the role's permissions boundary denies",
    change: "the boundary",
  },
  "service-control-policy": {
    say: (facts) =>
      `Denied by a service control policy of the organization, which its administrators can change${policyArn(facts)}. ${mustAllow(facts)} ${GUARD_TAIL}`,
    anchor: "policies-elsewhere",
    means: "the organization denies it to the account",
    change: "ask the organization's administrators",
  },
  "resource-control-policy": {
    say: (facts) =>
      `Denied by a resource control policy of the organization, which its administrators can change${policyArn(facts)}. ${mustAllow(facts)} ${GUARD_TAIL}`,
    anchor: "policies-elsewhere",
    means: "the organization denies it for the bucket or key",
    change: "ask the organization's administrators",
  },
  "vpc-endpoint-policy": {
    say: (facts) =>
      `Denied by the policy of the VPC endpoint that the engine's requests go through${policyArn(facts)}. ${mustAllow(facts)} ${GUARD_TAIL}`,
    anchor: "policies-elsewhere",
    means: "the network's endpoint to S3 or KMS denies",
    change: "the endpoint's policy",
  },
  unspecified: {
    say: () =>
      "The message says too little to tell: S3 leaves the reason out for HEAD requests, for buckets of another organization and for directory buckets, and other stores always do. An object that does not exist is answered so as well if the session may not list. Repeat the request with the AWS CLI, or look it up in CloudTrail, for the full message.",
    anchor: "no-reason-given",
    means: "the message says neither action nor reason",
    change: "repeat with the AWS CLI, or see CloudTrail",
  },
};
