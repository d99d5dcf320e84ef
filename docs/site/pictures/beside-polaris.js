/** Polaris' policy beside ours for one table: each action of either, and whether it stays. */
import { readFileSync } from "node:fs";
import { buildSessionPolicy, serializePolicy } from "polaris-session-policy";
import { picture, text } from "./svg.js";

const catalog = new URL("../../examples/quickstart_catalog.json", import.meta.url);
const { storageConfigInfo: config } = JSON.parse(readFileSync(catalog, "utf8"));
const table = ["s3://polaris-quickstart/warehouse/ns/t1"];
const locations = { read: table, list: table, write: table };

/** Actions by resource, and whether a condition narrows them. */
function grants(policy) {
  const found = new Map();
  for (const { Action, Resource, Condition } of policy.Statement) {
    for (const resource of [Resource].flat()) {
      const actions = found.get(resource) ?? new Map();
      found.set(resource, actions);
      for (const action of [Action].flat()) {
        // A statement names objects and buckets together; each action applies to one of them.
        const onBucket = /^s3:(?:ListBucket|GetBucketLocation)$/.test(action);
        const isBucket = /^arn:[^:]*:s3:::[^/]*$/.test(resource);
        if (resource.includes(":s3:") && onBucket !== isBucket) continue;
        actions.set(action.replace(/^\w+:/, ""), Condition);
      }
    }
  }
  return found;
}

function nameOf(resource) {
  if (resource === `${config.currentKmsKey}`) return "current KMS key";
  if (resource.includes(":kms:")) return `older KMS key …${resource.slice(-4)}`;
  return resource.includes("/") ? "objects of the table" : "its bucket";
}

/** Objects first, then their bucket, the current key, older keys. */
const rank = (resource) =>
  ["objects", "its", "current", "older"].findIndex((word) => nameOf(resource).startsWith(word));

export function besidePolaris() {
  const policies = {
    polaris: buildSessionPolicy(config, locations, { profile: "polaris" }),
    ours: buildSessionPolicy(config, locations),
  };
  const [polaris, ours] = [grants(policies.polaris), grants(policies.ours)];
  const [before, after] = [policies.polaris, policies.ours].map((p) => serializePolicy(p).length);
  const content = [
    text(20, 34, "Polaris sends", 'font-weight="700" font-size="17"'),
    text(
      370,
      34,
      `${before.toLocaleString("en")} characters`,
      'text-anchor="end" fill="var(--soft)"',
    ),
    text(410, 34, "This library sends", 'font-weight="700" font-size="17"'),
    text(
      750,
      34,
      `${after.toLocaleString("en")} characters`,
      'text-anchor="end" fill="var(--soft)"',
    ),
  ];
  let y = 58;
  let gone = 0;
  for (const [resource, actions] of [...polaris].sort(([a], [b]) => rank(a) - rank(b))) {
    if (actions.size === 0) continue;
    const kept = ours.get(resource) ?? new Map();
    const height = 40 + 22 * actions.size;
    for (const x of [20, 410]) {
      content.push(
        `<rect x="${x - 8}" y="${y}" width="356" height="${height}" rx="8" fill="var(--card)"/>`,
        text(x + 4, y + 24, nameOf(resource), 'font-weight="600"'),
      );
    }
    [...actions.keys()].sort().forEach((action, i) => {
      const at = y + 48 + 22 * i;
      const stays = kept.has(action);
      if (!stays) gone++;
      const mono = 'font-family="ui-monospace, Menlo, Consolas, monospace" font-size="13"';
      content.push(
        text(
          24,
          at,
          `${stays ? " " : "−"} ${action}`,
          `${mono} xml:space="preserve" ${stays ? "" : 'fill="var(--gone)" font-weight="600" text-decoration="line-through"'}`,
        ),
      );
      if (!stays) return;
      const via = JSON.stringify(kept.get(action) ?? {}).includes("kms:ViaService");
      content.push(
        text(
          414,
          at,
          `  ${action}${via ? "  through S3 only" : ""}`,
          `${mono} xml:space="preserve"${via ? ' fill="var(--ours)"' : ""}`,
        ),
      );
    });
    y += height + 12;
  }
  const label = `For one table to read, list and write, Polaris' policy has ${before} characters and ours ${after}. ${gone} grants fall away: object versions, deleting, and every use of the KMS keys except decrypting and generating data keys on the current key. What stays of KMS works through S3 only.`;
  return picture(770, y + 6, label, content);
}
