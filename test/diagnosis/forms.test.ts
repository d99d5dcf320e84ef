/** Each form's example is found, and found by nothing but its form. */
import { expect, test } from "vitest";
import { readDenials } from "../../src/diagnosis/denials.ts";
import { BARE_FORMS, CAUSE_FORMS, LINE_FORMS, LOGGED_DELETES } from "../../src/diagnosis/forms.ts";

test.each(CAUSE_FORMS.map(({ cause, example }) => [example, cause]))("%s", (example, cause) => {
  expect(readDenials(example).map((found) => found.cause)).toContain(cause);
});

test.each([...BARE_FORMS, ...LINE_FORMS, ...LOGGED_DELETES].map(({ example }) => example))(
  "%s",
  (example) => expect(readDenials(example)).toHaveLength(1),
);
