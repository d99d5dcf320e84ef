/**
 * Bucket names that S3 keeps for other resources than general purpose buckets.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
 * @module
 */

/** Names for which a grant on `arn:aws:s3:::NAME` allows no object action, and what to use instead. */
const RESERVED: readonly { readonly name: RegExp; readonly fault: string }[] = [
  {
    name: /--x-s3$/,
    fault:
      "names an S3 Express directory bucket, which needs s3express:CreateSession. Use a general purpose bucket.",
  },
  {
    name: /--table-s3$/,
    fault:
      "names the bucket of an S3 Tables table, which needs s3tables actions. Use a general purpose bucket.",
  },
  {
    name: /--ol-s3$/,
    fault:
      "names an Object Lambda access point's alias, which a bucket's ARN does not grant. Use the bucket itself, as s3://bucket/prefix, in this list and in the engine.",
  },
  {
    name: /\.mrap$/,
    fault:
      "names a multi-Region access point, which a bucket's ARN does not grant. Use the bucket itself, as s3://bucket/prefix, in this list and in the engine.",
  },
  {
    name: /-s3alias$/,
    fault:
      "names an access point's alias, which a bucket's ARN does not grant. Use the bucket itself, as s3://bucket/prefix, in this list and in the engine.",
  },
  {
    name: /^xn--/,
    fault: "begins with xn--, which no S3 bucket may. Use the name of a general purpose bucket.",
  },
  {
    name: /^sthree-/,
    fault: "begins with sthree-, which no S3 bucket may. Use the name of a general purpose bucket.",
  },
];

/** All names in one expression, because every location is tested. */
const ANY_RESERVED = /^xn--|^sthree-|--(?:x|table|ol)-s3$|\.mrap$|-s3alias$/;

/**
 * Tells why a bucket name cannot be granted on AWS. With an endpoint outside AWS these are ordinary
 * names.
 *
 * @returns what is wrong and what to use instead; undefined if nothing is wrong.
 */
export function bucketFault(bucket: string, onAws: boolean): string | undefined {
  if (!onAws || !ANY_RESERVED.test(bucket)) return undefined;
  return RESERVED.find(({ name }) => name.test(bucket))?.fault;
}
