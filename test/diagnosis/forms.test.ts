/** Each form's example is found, and found by nothing but its form. */
import { expect, test } from "vitest";
import { HINT_FORMS } from "../../src/diagnosis/context.ts";
import { readDenials } from "../../src/diagnosis/denials.ts";
import { BARE_FORMS, CAUSE_FORMS, LINE_FORMS, LOGGED_DELETES } from "../../src/diagnosis/forms.ts";

test.each(CAUSE_FORMS.map(({ cause, example }) => [example, cause]))("%s", (example, cause) => {
  expect(readDenials(example).map((found) => found.cause)).toContain(cause);
});

test.each([...BARE_FORMS, ...LINE_FORMS, ...LOGGED_DELETES].map(({ example }) => example))(
  "%s",
  (example) => expect(readDenials(example)).toHaveLength(1),
);

test.each(
  [...CAUSE_FORMS, ...BARE_FORMS, ...LINE_FORMS, ...LOGGED_DELETES].map(({ example }) => example),
)("behind a line of other text: %s", (example) => {
  expect(readDenials(`Starting engine version 4\n${example}`)).toHaveLength(
    readDenials(example).length,
  );
});

test.each(HINT_FORMS.map((form) => [form.example, form] as const))("%s", (example, form) => {
  const read = [...example.matchAll(form.pattern)].map(([, ...groups]) => form.read(groups));
  expect(read.some((context) => context !== undefined && Object.keys(context).length > 0)).toBe(
    true,
  );
});
