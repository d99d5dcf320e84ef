// The policy for one table of the catalog in Polaris' KMS guide, for an engine that reads and writes.
import { readFileSync } from "node:fs";
import { buildSessionPolicy, serializePolicy } from "polaris-session-policy";

const file = new URL("quickstart_catalog.json", import.meta.url);
const { name, properties, storageConfigInfo } = JSON.parse(readFileSync(file, "utf8"));
const table = [`${properties["default-base-location"]}/ns/t1`];

const policy = buildSessionPolicy(storageConfigInfo, {
  read: table,
  list: table,
  write: table,
  delete: table,
});

process.stdout.write(`${JSON.stringify(policy, null, 2)}

${name}, ns.t1: ${serializePolicy(policy).length} of 2,048 characters
`);
