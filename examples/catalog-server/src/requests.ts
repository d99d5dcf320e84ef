/** The bodies of requests; fields that the server does not use pass. */
import { z } from "zod";
import { type JsonObject, parse } from "./json.js";

const properties = z.record(z.string(), z.string());
const namespace = z.array(z.string().min(1)).min(1);
const json = z.custom<JsonObject>((value) => typeof value === "object" && value !== null, {
  message: "an object is needed",
});

export const namespaceRequest = z.object({ namespace, properties: properties.default({}) });
export const propertiesRequest = z.object({
  updates: properties.default({}),
  removals: z.array(z.string()).default([]),
});
export const createRequest = z.object({
  name: z.string().min(1),
  location: z.string().nullish(),
  schema: json,
  "partition-spec": json.nullish(),
  "write-order": json.nullish(),
  "stage-create": z.boolean().nullish(),
  properties: properties.nullish(),
});
export const registerRequest = z.object({
  name: z.string().min(1),
  "metadata-location": z.string(),
});
export const commitRequest = z.object({ requirements: z.array(json), updates: z.array(json) });
const identifier = z.object({ namespace, name: z.string().min(1) });
export const renameRequest = z.object({ source: identifier, destination: identifier });
export const transactionRequest = z.object({
  "table-changes": z.array(commitRequest.extend({ identifier })).min(1),
});

export function read<T>(schema: z.ZodType<T>, body: string): T {
  return schema.parse(parse(body));
}
