import { type AnyPolicy, asList } from "./iam.ts";

/** A policy's statements as texts, sorted, in which order means nothing and repeats count. */
export function statementTexts(policy: Pick<AnyPolicy, "Statement">): string[] {
  return asList(policy.Statement).map(statementText).toSorted();
}

function statementText(statement: object): string {
  return JSON.stringify(statement, (name, value: unknown) => {
    const isList = name === "Action" || name === "Resource" || name === "s3:prefix";
    return isList ? asList(value as string).toSorted() : value;
  });
}
