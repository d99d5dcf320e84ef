/** What went wrong, as an error of the REST catalog that says what to do. */
import { STSServiceException } from "@aws-sdk/client-sts";
import { SessionPolicyError } from "polaris-session-policy";
import { ZodError } from "zod";
import { badRequest, CatalogError, forbidden, unprocessable } from "./errors.js";

export function refusalOf(error: unknown): CatalogError {
  if (error instanceof CatalogError) return error;
  if (error instanceof SessionPolicyError) {
    if (error.code === "LOCATION_NOT_ALLOWED") return forbidden(error.message);
    return error.code === "POLICY_TOO_LARGE" || error.code === "INVALID_STORAGE_CONFIG"
      ? unprocessable(error.message)
      : badRequest(error.message);
  }
  if (error instanceof ZodError) {
    const [issue] = error.issues;
    return badRequest(`The request's ${issue?.path.join(".")} is wrong: ${issue?.message}`);
  }
  if (error instanceof SyntaxError) return badRequest("The request's body is not JSON.");
  if (error instanceof STSServiceException) return stsRefusal(error.name);
  process.stderr.write(`${error instanceof Error ? error.stack : "unknown error"}\n`);
  return new CatalogError(500, "InternalServerError", "The catalog failed. Its log says more.");
}

/** @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html#API_AssumeRole_Errors */
function stsRefusal(name: string): CatalogError {
  const code = name.replace(/Exception$/, "");
  const says = `STS refused AssumeRole (${code}).`;
  switch (code) {
    case "PackedPolicyTooLarge":
      return unprocessable(
        `${says} The policy and tags are too large: shorten the table's location, or configure fewer KMS keys or session tags.`,
      );
    case "AccessDenied":
      return forbidden(
        `${says} Let the role's trust policy name the catalog server's identity and external id, and let that identity call sts:AssumeRole.`,
      );
    case "ExpiredToken":
      return unavailable(`${says} Renew the catalog server's own AWS credentials.`);
    case "MalformedPolicyDocument":
      return unprocessable(
        `${says} The store does not take the policy: set kmsUnavailable if it has no KMS.`,
      );
    default:
      return unavailable(`${says} Check the catalog's role, its stsEndpoint and region.`);
  }
}

const unavailable = (message: string) =>
  new CatalogError(503, "ServiceUnavailableException", message);
