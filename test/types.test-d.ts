import type { AssumeRoleCommandInput } from "@aws-sdk/client-sts";
import { describe, expectTypeOf, test } from "vitest";
import type { input } from "zod/mini";
import {
  type AssumeRoleRequest,
  type AwsStorageConfig,
  buildAssumeRoleRequest,
  buildSessionPolicy,
  type CacheableRequest,
  cacheKey,
  createAssumeRoleRequestBuilder,
  createSessionPolicyBuilder,
  type Locations,
  type PolicyDocument,
  SessionPolicyError,
  type SessionPolicyOptions,
  type Statement,
  serializePolicy,
  sessionTags,
  type storageConfigSchema,
} from "../src/index.ts";

describe("types", () => {
  test("of the functions", () => {
    expectTypeOf(buildSessionPolicy).parameters.toEqualTypeOf<
      [AwsStorageConfig, Locations, SessionPolicyOptions?]
    >();
    expectTypeOf(buildSessionPolicy).returns.toEqualTypeOf<PolicyDocument>();
    expectTypeOf(createSessionPolicyBuilder).returns.toEqualTypeOf<
      (locations: Locations) => PolicyDocument
    >();
    expectTypeOf(serializePolicy).toEqualTypeOf<(policy: PolicyDocument) => string>();
  });

  test("the serialized policy is the Policy of AssumeRole", () => {
    expectTypeOf(serializePolicy).returns.toExtend<AssumeRoleCommandInput["Policy"]>();
    const input: AssumeRoleCommandInput = {
      RoleArn: "arn:aws:iam::123456789012:role/polaris",
      RoleSessionName: "polaris",
      Policy: serializePolicy(buildSessionPolicy({}, {})),
    };
    expectTypeOf(input).toExtend<AssumeRoleCommandInput>();
  });

  test("the whole request is the input of AssumeRole, of either kind of builder", () => {
    expectTypeOf<AssumeRoleRequest>().toExtend<AssumeRoleCommandInput>();
    expectTypeOf(buildAssumeRoleRequest).returns.toEqualTypeOf<AssumeRoleRequest>();
    expectTypeOf(createAssumeRoleRequestBuilder).returns.returns.toEqualTypeOf<CacheableRequest>();
    expectTypeOf(cacheKey).returns.toBeString();
    expectTypeOf(sessionTags).returns.toExtend<AssumeRoleCommandInput["Tags"]>();
  });

  test("lists may be arrays or Sets, read-only or not; a string is no list", () => {
    expectTypeOf<{ read: string[]; list: Set<string> }>().toExtend<Locations>();
    expectTypeOf<{ read: readonly string[]; list: ReadonlySet<string> }>().toExtend<Locations>();
    expectTypeOf<{ read: string }>().not.toExtend<Locations>();
    // @ts-expect-error there is no such access
    buildSessionPolicy({}, { reads: [] });
  });

  test("the schema takes the configuration, field by field", () => {
    expectTypeOf<keyof input<typeof storageConfigSchema>>().toEqualTypeOf<keyof AwsStorageConfig>();
    expectTypeOf<input<typeof storageConfigSchema>>().toExtend<AwsStorageConfig>();
  });

  test("a policy is read-only data", () => {
    expectTypeOf<PolicyDocument["Statement"]>().toEqualTypeOf<readonly Statement[]>();
    expectTypeOf<Statement["Action"]>().toEqualTypeOf<string | readonly string[]>();
    const statement = {} as Statement;
    // @ts-expect-error statements are read-only
    statement.Effect = "Deny";
  });

  test("errors have a code and issues", () => {
    expectTypeOf<SessionPolicyError>().toExtend<Error>();
    expectTypeOf<SessionPolicyError["code"]>().toExtend<string>();
    expectTypeOf<SessionPolicyError["issues"][number]>().toEqualTypeOf<{
      readonly path: readonly (string | number)[];
      readonly message: string;
    }>();
    expectTypeOf(SessionPolicyError).toBeConstructibleWith("INVALID_OPTIONS", []);
  });
});
