/** A link that holds the input in its fragment, which browsers do not send to a server. */
import { ACCESSES, example, type Input, SWITCHES } from "./input.ts";

/** AWS' own example accounts: they are nobody's, so they may stand in a link. */
const EXAMPLES = ["123456789012", "111122223333", "444455556666", "777788889999"];
/** An account, bare or with the console's hyphens; ids in hexadecimal, as of keys, are taken whole. */
const ACCOUNT_OR_ID =
  /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}(?![\da-f])|mrk-[\da-f]{32}|(?<!\d)(?:\d{12}|\d{4}-\d{4}-\d{4})(?!\d)/gi;
const isAccount = (match: string) => /^[\d-]{12,14}$/.test(match);
const PREFIX = "#input=";

/** Replaces each account number by an example, the same one wherever it stands. */
function withoutAccounts(text: string): string {
  const digits = (account: string) => account.replaceAll("-", "");
  const matches = (text.match(ACCOUNT_OR_ID) ?? []).filter(isAccount);
  const found = [...new Set(matches.map(digits))];
  const others = found.filter((account) => !EXAMPLES.includes(account));
  const free = EXAMPLES.filter((account) => !found.includes(account));
  const stand = new Map(
    others.map((account, i) => [account, free[i] ?? String(i).padStart(12, "0")]),
  );
  return text.replace(ACCOUNT_OR_ID, (match) =>
    isAccount(match) ? (stand.get(digits(match)) ?? match) : match,
  );
}

/** The configuration without external ids and whoever holds one. */
function withoutExternalIds(text: string): string {
  const kept: unknown = JSON.parse(text, (name, value) =>
    /external_?-?id/i.test(name) ? undefined : value,
  );
  return JSON.stringify(kept, null, 2);
}

/** The fragment for an input. A configuration that is not JSON can't be searched for secrets. */
export function fragmentOf(input: Input): string | undefined {
  let config: string;
  try {
    config = withoutExternalIds(input.config);
  } catch {
    return undefined;
  }
  const on = SWITCHES.filter(({ name }) => input.options[name]).map(({ name }) => name);
  const { read, list, write, maxLength } = input;
  const shared = { config, read, list, write, delete: input.delete, on, maxLength };
  const bytes = new TextEncoder().encode(withoutAccounts(JSON.stringify(shared)));
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return `${PREFIX}${btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}`;
}

/** The input that a fragment holds, if it holds one. */
export function inputOf(fragment: string): Input | undefined {
  if (!fragment.startsWith(PREFIX)) return undefined;
  try {
    const code = fragment.slice(PREFIX.length).replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(code), (c) => c.charCodeAt(0));
    const shared: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof shared !== "object" || shared === null) return undefined;
    const fields = new Map<string, unknown>(Object.entries(shared));
    const read = example();
    for (const name of ["config", ...ACCESSES] as const) {
      const value = fields.get(name);
      if (typeof value !== "string") return undefined;
      read[name] = value;
    }
    const on = fields.get("on");
    for (const { name } of SWITCHES) read.options[name] = Array.isArray(on) && on.includes(name);
    const maxLength = fields.get("maxLength");
    if (typeof maxLength === "string") read.maxLength = maxLength;
    return read;
  } catch {
    return undefined;
  }
}
