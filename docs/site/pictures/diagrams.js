/** Pictures of ideas: what intersects, and which way a request takes. */
import { arrow, box, picture, text } from "./svg.js";

export function intersection() {
  const circle = (cx, cy, colour) =>
    `<circle cx="${cx}" cy="${cy}" r="125" fill="var(--${colour}-soft)" fill-opacity="0.6" stroke="var(--${colour})" stroke-width="2"/>`;
  const centred = (x, y, words, more = "") => text(x, y, words, `text-anchor="middle" ${more}`);
  return picture(
    720,
    430,
    "Three circles. A session may do in S3 what the session policy and the role's policies both allow. For KMS the key policy must allow it too.",
    [
      circle(285, 165, "ours"),
      circle(435, 165, "third"),
      circle(360, 285, "gone"),
      centred(215, 120, "Session policy", 'font-weight="600"'),
      centred(215, 142, "this table,", 'font-size="13"'),
      centred(215, 160, "these accesses", 'font-size="13"'),
      centred(505, 120, "Role's policies", 'font-weight="600"'),
      centred(505, 142, "the catalog's", 'font-size="13"'),
      centred(505, 160, "locations and keys", 'font-size="13"'),
      centred(360, 348, "Key policy", 'font-weight="600"'),
      centred(360, 370, "who may use the key", 'font-size="13"'),
      centred(360, 120, "S3", 'font-weight="700"'),
      centred(360, 140, "both allow it", 'font-size="12"'),
      centred(360, 215, "KMS", 'font-weight="700"'),
      centred(360, 235, "all three allow it", 'font-size="12"'),
    ],
  );
}

export function request() {
  return picture(
    760,
    450,
    "An engine asks the catalog for a table. The catalog builds the session policy and calls AssumeRole. STS returns credentials, and the catalog hands them to the engine. The engine asks S3 for an object. S3 checks the session policy and the role's policies, and asks KMS for the object's key. KMS checks the same two and the key policy.",
    [
      box(20, 40, 150, 90, "Engine", ["Spark, Trino,", "PyIceberg …"]),
      box(305, 20, 170, 130, "Catalog server", [
        "storage configuration",
        "+ locations",
        "→ session policy",
      ]),
      box(610, 40, 130, 90, "STS", ["AssumeRole"]),
      box(20, 310, 150, 120, "S3", ["session policy", "and role's policies", "must both allow"]),
      box(305, 310, 170, 120, "KMS", [
        "session policy, role's",
        "policies and key policy",
        "must all allow",
      ]),
      arrow([170, 70], [305, 70], 1, "load table"),
      arrow([475, 70], [610, 70], 2, "role and policy"),
      arrow([610, 105], [475, 105], 3, "credentials", [0, 20]),
      arrow([305, 105], [170, 105], 4, "credentials", [0, 20]),
      arrow(
        [95, 130],
        [95, 310],
        5,
        ["GET or PUT of an object,", "signed with the credentials"],
        [12, 0],
      ),
      arrow([170, 370], [305, 370], 6, "Decrypt or"),
      text(237, 388, "GenerateDataKey", 'text-anchor="middle" font-size="13"'),
      text(530, 350, "S3 asks for the session:", 'font-size="13" fill="var(--soft)"'),
      text(530, 369, "kms:ViaService names S3,", 'font-size="13" fill="var(--soft)"'),
      text(530, 388, "so the key is of no use", 'font-size="13" fill="var(--soft)"'),
      text(530, 407, "elsewhere.", 'font-size="13" fill="var(--soft)"'),
    ],
  );
}
