/** The playground as a person uses it, in Chromium. */
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { launch, SITE, serveSite } from "./browser.ts";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const GUIDE = readFileSync(new URL("../../../test/logs/spark-insert.txt", import.meta.url), "utf8");
const CATALOG = new URL("../../examples/quickstart_catalog.json", import.meta.url);
const KEY = "arn:aws:kms:us-west-2:123456789012:key/abcd1234-1111-2222-3333-444444444444";

/** A role that may read only, and in all buckets. */
const NARROW_ROLE = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::*/*" }],
});

let browser: Browser;
let site: { url: string; close: () => void };
let context: BrowserContext;
let page: Page;
let faults: string[] = [];
let requests: string[] = [];

beforeAll(async () => {
  site = await serveSite();
  browser = await launch();
  context = await browser.newContext();
  context.setDefaultTimeout(60_000);
});
afterAll(async () => {
  await browser.close();
  site.close();
});
beforeEach(async () => {
  page = await opened(context);
});
afterEach(async () => {
  await page.close();
  expect(faults, "errors that the page logged").toEqual([]);
});

async function opened(where: BrowserContext, fragment = ""): Promise<Page> {
  const tab = await where.newPage();
  faults = [];
  requests = [];
  tab.on("pageerror", (error) => faults.push(error.message));
  tab.on("console", (message) => faults.push(message.text()));
  tab.on("request", (request) => requests.push(request.url()));
  await tab.goto(`${site.url}/playground${fragment}`);
  await tab.getByRole("heading", { name: "Playground" }).waitFor();
  return tab;
}

const box = (name: string) => page.getByRole("textbox", { name, exact: true });
const region = (name: string) => page.getByRole("region", { name, exact: true });
const tab = (name: string) => page.getByRole("tab", { name, exact: true });
const config = async () => JSON.parse(await page.locator("#config").inputValue());

test("labels stand once", async () => {
  for (const name of ["Storage configuration", "Read", "List", "Write", "Delete"]) {
    expect(await box(name).count(), name).toBe(1);
    expect(await page.getByLabel(name, { exact: true }).count(), name).toBe(1);
  }
  const regions = [
    "Session policy",
    "Length",
    "Access",
    "Against Polaris",
    "AssumeRole request",
    "Behind the session",
  ];
  for (const name of regions) expect(await region(name).count(), name).toBe(1);
  await tab("Diagnose").click();
  await box("Log").waitFor();
  expect(await box("Log").count()).toBe(1);
  await tab("Compare").click();
  await box("First policy").waitFor();
  expect(await box("First policy").count()).toBe(1);
  expect(await box("Second policy").count()).toBe(1);
});

describe("Build", () => {
  test("opens with an example whose every region shows something", async () => {
    for (const name of [
      "Session policy",
      "Access",
      "Against Polaris",
      "AssumeRole request",
      "Behind the session",
    ]) {
      expect((await region(name).innerText()).length, name).toBeGreaterThan(100);
    }
    expect(await region("Against Polaris").innerText()).toContain("falls away");
    expect(await region("Length").innerText()).toMatch(/\d+ of 2,048 characters/);
  });

  test("typing a location changes the policy", async () => {
    await box("Read").fill("s3://polaris-quickstart/warehouse/typed");
    await expect.poll(() => region("Session policy").innerText()).toContain("warehouse/typed/*");
    await expect.poll(() => region("Access").innerText()).toContain("warehouse/typed/*");
    await expect
      .poll(() => region("AssumeRole request").innerText())
      .toContain("warehouse/typed/*");
  });

  test("a wrong key shows its sentence at its field, and in the form", async () => {
    const wrong = { ...(await config()), currentKmsKey: "alias/lake" };
    await box("Storage configuration").fill(JSON.stringify(wrong));
    const sentence = page.getByText(/^currentKmsKey: .*alias/);
    await sentence.waitFor();
    const named = await box("Storage configuration").getAttribute("aria-describedby");
    expect(named?.split(" ")).toContain("config-issues");
    expect(await page.locator("#config-issues").innerText()).toMatch(/currentKmsKey: .*alias/);
    expect(await box("Storage configuration").getAttribute("aria-invalid")).toBe("true");
    await page.getByText("Edit as a form").click();
    await box("Current KMS key").fill(KEY);
    await box("Current KMS key").blur();
    await expect.poll(() => sentence.count()).toBe(0);
    expect((await config()).currentKmsKey).toBe(KEY);
  });

  test("what is typed in the form stays while the page draws again", async () => {
    await page.getByText("Edit as a form").click();
    await box("Current KMS key").fill(KEY);
    // Changes another field and leaves the focus in this one.
    await page.locator("#read").evaluate((area: HTMLTextAreaElement) => {
      area.value = "s3://polaris-quickstart/warehouse/typed";
      area.dispatchEvent(new Event("input"));
    });
    await expect.poll(() => region("Session policy").innerText()).toContain("warehouse/typed/*");
    expect(await box("Current KMS key").inputValue()).toBe(KEY);
    await box("Current KMS key").blur();
    await expect.poll(async () => (await config()).currentKmsKey).toBe(KEY);
  });

  test("a wrong location shows its sentence and line at its own field", async () => {
    await box("Write").fill("s3://polaris-quickstart/warehouse/a\nhttps://polaris-quickstart/b");
    const issues = page.locator("#write-issues li");
    await issues.waitFor();
    expect(await issues.innerText()).toMatch(/^Line 2: /);
    expect(await box("Read").getAttribute("aria-invalid")).toBe("false");
  });

  test("what is not JSON is said so, with the line", async () => {
    await box("Storage configuration").fill('{\n  "region": "us-west-2"\n  "roleArn": null\n}');
    await page.getByText("This is not JSON.").waitFor();
    expect(await page.locator("#config-issues li").innerText()).toMatch(/^Line 3: /);
  });

  test("the line of a wrong field leads to it in the JSON", async () => {
    const wrong = { ...(await config()), currentKmsKey: "alias/lake", allowedKmsKeys: [KEY, "x"] };
    const text = JSON.stringify({ name: "lake", storageConfigInfo: wrong }, null, 2);
    await box("Storage configuration").fill(text);
    const lineOf = (part: string) =>
      1 + text.split("\n").findIndex((line) => line.trimStart().startsWith(part));
    const issues = page.locator("#config-issues li");
    await expect
      .poll(() => issues.allInnerTexts())
      .toEqual([
        expect.stringContaining(`Line ${lineOf('"currentKmsKey"')}: currentKmsKey: `),
        expect.stringContaining(`Line ${lineOf('"x"')}: allowedKmsKeys[1]: `),
      ]);
    await page.getByRole("button", { name: `Line ${lineOf('"x"')}` }).click();
    const selected = await page
      .locator("#config")
      .evaluate((area) =>
        area instanceof HTMLTextAreaElement
          ? area.value.slice(area.selectionStart, area.selectionEnd)
          : "",
      );
    expect(selected.trim()).toBe('"x"');
  });

  test("a catalog of the management API is taken as it is", async () => {
    const catalog = JSON.parse(readFileSync(CATALOG, "utf8"));
    await box("Storage configuration").fill(JSON.stringify(catalog));
    const { currentKmsKey } = catalog.storageConfigInfo;
    await expect.poll(() => region("Session policy").innerText()).toContain(currentKmsKey);
    const wrong = { ...catalog.storageConfigInfo, currentKmsKey: "alias/lake" };
    const broken = { ...catalog, storageConfigInfo: wrong };
    await box("Storage configuration").fill(JSON.stringify(broken));
    await page.getByText(/currentKmsKey: .*alias/).waitFor();
  });

  test("what lists one catalog is taken as it, and of several one is asked for", async () => {
    const catalog = JSON.parse(readFileSync(CATALOG, "utf8"));
    const { currentKmsKey } = catalog.storageConfigInfo;
    for (const list of [[catalog], { catalogs: [catalog] }, { catalog }]) {
      await box("Storage configuration").fill(JSON.stringify(list));
      await expect.poll(() => region("Session policy").innerText()).toContain(currentKmsKey);
      await page.getByText("Edit as a form").click();
      await box("Region").fill("eu-west-1");
      await box("Region").blur();
      expect(JSON.stringify(await config())).toContain('"region":"eu-west-1"');
      await page.getByText("Edit as a form").click();
    }
    const lines = [catalog, { ...catalog, name: "other" }].map((one) => JSON.stringify(one));
    for (const several of [lines.join("\n"), `[${lines}]`, `{"catalogs":[${lines}]}`]) {
      await box("Storage configuration").fill(several);
      await page.getByText("The text holds 2 catalogs. Keep one of them.").waitFor();
      await box("Storage configuration").fill(lines[0] ?? "");
      await expect.poll(() => page.locator("#config-issues li").count()).toBe(0);
    }
  });

  test("an empty box is told so, and JSON that is nested too deep does no harm", async () => {
    await box("Storage configuration").fill("");
    await page.getByText("There is no storage configuration. Paste one").waitFor();
    await box("Storage configuration").fill("[".repeat(20_000));
    await page.getByText("This is not JSON.").waitFor();
    await box("Storage configuration").fill(
      JSON.stringify(JSON.parse(readFileSync(CATALOG, "utf8"))),
    );
    await expect.poll(() => page.locator("#config-issues li").count()).toBe(0);
  });

  test("a policy over the limit tells how many locations would fit", async () => {
    const many = Array.from(
      { length: 60 },
      (_, i) => `s3://polaris-quickstart/warehouse/table_${i}`,
    );
    await box("Read").fill(many.join("\n"));
    await expect.poll(() => region("Length").innerText()).toMatch(/\d+ of the \d+ locations/);
    expect(await region("Length").innerText()).toMatch(/\d+ sessions hold all locations/);
  });

  test("a thousand locations do not stop the page", async () => {
    const many = Array.from({ length: 1000 }, (_, i) => `s3://polaris-quickstart/warehouse/t${i}`);
    await box("Read").fill(many.join("\n"));
    await region("Against Polaris").getByText("too many grants").waitFor();
    expect(await region("Access").innerText()).toMatch(/\d+ more rows are left out/);
    await box("Read").fill("s3://polaris-quickstart/warehouse/t1");
    await region("Against Polaris").getByText("falls away").first().waitFor();
  });

  test("a switch says what it costs, and does", async () => {
    const characters = async () =>
      Number(/([\d,]+) of 2,048/.exec(await region("Length").innerText())?.[1]?.replace(",", ""));
    const before = await characters();
    const words = await page.locator("#objectVersions-cost").innerText();
    const cost = Number(/\+(\d+)/.exec(words)?.[1]);
    await page.getByRole("switch", { name: /objectVersions/ }).check();
    await expect.poll(characters).toBe(before + cost);
    expect(await region("Session policy").innerText()).toContain("s3:GetObjectVersion");
  });

  test("Polaris' profile shows what Polaris sends", async () => {
    await page.getByRole("switch", { name: /profile/ }).check();
    await expect.poll(() => region("Session policy").innerText()).toContain("kms:DescribeKey");
    await expect
      .poll(() => region("Against Polaris").innerText())
      .toContain("Both policies allow the same.");
    await page.getByRole("switch", { name: /abortMultipartUploads/ }).check();
    await expect
      .poll(() => page.locator("#abortMultipartUploads-issues").innerText())
      .toMatch(/^abortMultipartUploads: is not granted by Polaris/);
  });

  test("a length of one's own is kept to, or refused", async () => {
    await box("Most characters maxLength").fill("600");
    await expect
      .poll(() => region("Length").innerText())
      .toMatch(/of 600 that maxLength allows.*needs [\d,]+ characters; 600 are allowed/s);
    expect(await region("AssumeRole request").innerText()).toContain("600");
    await box("Most characters maxLength").fill("many");
    await expect
      .poll(() => page.locator("#maxLength-issues").innerText())
      .toMatch(/^maxLength: must be a whole number/);
    expect(await region("Session policy").innerText()).toContain("There is no policy");
  });

  test("an audit tells what a role lacks and has beyond the need", async () => {
    await page.getByText("Audit the role as it is").click();
    const behind = region("Behind the session");
    await page.getByRole("button", { name: "Take the role policy above" }).click();
    await behind.getByText("The role allows what sessions need, and nothing beyond.").waitFor();
    await box("Policies of the role as it is").fill(NARROW_ROLE);
    await behind.getByRole("heading", { name: "Missing" }).waitFor();
    expect(await behind.locator(".audit").innerText()).toMatch(
      /s3:PutObject.*Beyond the need.*s3:GetObject on arn:aws:s3:::\*\/\*/s,
    );
    await box("Trust policy as it is").fill("{");
    await behind.getByText("This is not JSON. Paste a policy document").waitFor();
  });

  test("a statement tells its reason to pointer and keyboard", async () => {
    const statement = region("Session policy").locator("ol > li").last();
    const reason = statement.locator(".reason");
    expect(await reason.isVisible()).toBe(false);
    await statement.getByRole("button").focus();
    await page.keyboard.press("Enter");
    expect(await statement.getByRole("button").getAttribute("aria-expanded")).toBe("true");
    expect(await reason.innerText()).toMatch(/kms:GenerateDataKey for write: \w+/);
    const other = region("Session policy").locator("ol > li").nth(1);
    await other.hover();
    expect(await other.locator(".reason").isVisible()).toBe(true);
  });

  test("every action of the policies has a reason from the reference", async () => {
    for (const option of await page.getByRole("switch").all()) {
      if ((await option.getAttribute("id")) !== "profile") await option.check();
    }
    for (const access of ["Read", "List", "Write", "Delete"]) {
      await box(access).fill("s3://polaris-quickstart/warehouse/orders");
    }
    const reasons = await region("Session policy").locator(".reason li").allTextContents();
    expect(reasons.length).toBeGreaterThan(10);
    expect(reasons.filter((reason) => !/ for [\w, ]+: \w/.test(reason))).toEqual([]);
  });
});

describe("Diagnose", () => {
  test("a guide's log gives its remedy, and applying it makes the denial go", async () => {
    await tab("Diagnose").click();
    await box("Log").fill(GUIDE);
    await page.getByText("--current-kms-key").first().waitFor();
    expect(await page.locator("mark").first().innerText()).toContain("kms:GenerateDataKey");
    expect((await config()).currentKmsKey).not.toBe(KEY);
    await page.getByRole("button", { name: "Apply" }).first().click();
    await page.getByText(/no longer denies kms:GenerateDataKey/).waitFor();
    expect(await page.locator("article").count()).toBe(0);
    expect(await page.locator("mark").count()).toBe(0);
    expect(await page.locator(".added").first().innerText()).toContain("currentKmsKey");
    expect((await config()).currentKmsKey).toBe(KEY);
    await tab("Build").click();
    expect(await region("Session policy").innerText()).toContain(KEY);
  });

  test("a remedy can't be applied to what is not JSON", async () => {
    await box("Storage configuration").fill("{ nope");
    await tab("Diagnose").click();
    await box("Log").fill(GUIDE);
    await page.getByText("--current-kms-key").first().waitFor();
    expect(await page.getByRole("button", { name: "Apply" }).count()).toBe(0);
  });

  test("a text without a denial is told so", async () => {
    await tab("Diagnose").click();
    await box("Log").fill("INFO all is well");
    await page.getByText("No denial was found in the text.").waitFor();
  });
});

describe("Compare", () => {
  const policy = (...Action: string[]) =>
    JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action, Resource: "arn:aws:s3:::lake/a/*" }],
    });
  const compared = async (first: string, second: string) => {
    await tab("Compare").click();
    await box("First policy").fill(first);
    await box("Second policy").fill(second);
    return page.locator(".result");
  };

  test.each([
    ["Equal", policy("s3:GetObject"), policy("s3:GetObject")],
    ["Narrower", policy("s3:GetObject"), policy("s3:GetObject", "s3:PutObject")],
    ["Broader", policy("s3:GetObject", "s3:PutObject"), policy("s3:GetObject")],
    ["Neither", policy("s3:DeleteObject"), policy("s3:PutObject")],
  ])("%s", async (word, first, second) => {
    const result = await compared(first, second);
    await expect.poll(() => result.innerText()).toContain(word);
    if (word !== "Equal")
      expect(await result.innerText()).toMatch(/allows s3:\w+Object on arn:aws:s3:::lake\/a\//);
  });

  test("what can't be compared is refused by name", async () => {
    const result = await compared("{", policy("s3:GetObject"));
    await page.getByText("This is not JSON. Paste a policy document.").waitFor();
    expect(await result.innerText()).toBe("");
    await box("First policy").fill(policy("s3:GetObject"));
    await box("Second policy").fill('{"Version":"2012-10-17"}');
    await page.locator("#second-issue").getByText("Statement").waitFor();
    expect(await box("Second policy").getAttribute("aria-invalid")).toBe("true");
    expect(await box("First policy").getAttribute("aria-invalid")).toBe("false");
    expect(await result.innerText()).toBe("");
  });
});

describe("nothing leaves the browser", () => {
  const SECRET = "not-for-others";
  const ACCOUNT = "998877665544";

  test("sharing round-trips, without external id and account numbers", async () => {
    const mine = { ...(await config()), externalId: SECRET };
    const text = JSON.stringify(mine).replaceAll("123456789012", ACCOUNT);
    await box("Storage configuration").fill(text);
    await box("Delete").fill("s3://polaris-quickstart/warehouse/旧/*?$");
    await page.getByRole("switch", { name: /objectVersions/ }).check();
    const masked = (shown: string) =>
      shown.replaceAll(ACCOUNT, "").replace(/\d{12}(?=:key|:role)/g, "");
    await box("Most characters maxLength").fill("1900");
    const before = masked(await region("Session policy").innerText());
    await page.getByRole("button", { name: "Share" }).click();
    const link = await box("Address to share").inputValue();
    expect(link).toBe(page.url());
    const held = Buffer.from(new URL(link).hash.slice("#input=".length), "base64url").toString();
    expect(held).toContain("objectVersions");
    for (const secret of [SECRET, "externalId", ACCOUNT]) expect(held).not.toContain(secret);
    await page.close();
    page = await opened(context, new URL(link).hash);
    expect(masked(await region("Session policy").innerText())).toBe(before);
    expect(await box("Delete").inputValue()).toBe("s3://polaris-quickstart/warehouse/旧/*?$");
    expect(await page.getByRole("switch", { name: /objectVersions/ }).isChecked()).toBe(true);
    expect(await box("Most characters maxLength").inputValue()).toBe("1900");
  });

  test("no account is in a link, whatever stands around it; ids of keys stay", async () => {
    const hyphened = "9988-7766-5544";
    const around = [
      `s3://a-2024-${ACCOUNT}/x`,
      `s3://lake/${ACCOUNT}abc`,
      `s3://lake/a${ACCOUNT}`,
      `s3://lake/orders-0f9e8d7c-5555-6666-7777-888888888888`,
      `s3://lake/${hyphened}`,
    ];
    await box("Read").fill(around.join("\n"));
    await page.getByRole("button", { name: "Share" }).click();
    const link = await box("Address to share").inputValue();
    const held = Buffer.from(new URL(link).hash.slice("#input=".length), "base64url").toString();
    for (const secret of [ACCOUNT, hyphened]) expect(held).not.toContain(secret);
    expect(held).toContain("orders-0f9e8d7c-5555-6666-7777-888888888888");
    expect(held).toContain("key/1234abcd-12ab-34cd-56ef-1234567890ab");
  });

  test("the page says what a link holds", async () => {
    expect(await page.locator("#share-note").innerText()).toMatch(
      /fragment.*external id.*account/s,
    );
  });

  test("no request leaves the page, and none can", async () => {
    await box("Read").fill("s3://polaris-quickstart/warehouse/private");
    await tab("Diagnose").click();
    await box("Log").fill(GUIDE);
    await tab("Compare").click();
    await box("First policy").fill("{}");
    await page.waitForTimeout(300);
    expect(
      requests.filter((url) => !/\/(?:playground|icon\.svg|assets\/playground\/[^?]*)$/.test(url)),
    ).toEqual([]);
    const refused = await page.evaluate(() =>
      fetch("/icon.svg").then(
        () => "sent",
        () => "refused",
      ),
    );
    expect(refused).toBe("refused");
    // In a task of its own, as the browser's tools may do more than the page.
    const made = await page.evaluate(
      () =>
        new Promise((resolve) =>
          setTimeout(() => {
            try {
              resolve(new Function("return 1")());
            } catch {
              resolve("refused");
            }
          }),
        ),
    );
    expect(made).toBe("refused");
    expect(faults.every((fault) => /Content.Security.Policy/i.test(fault))).toBe(true);
    faults = [];
    const policy = await page
      .locator("meta[http-equiv='Content-Security-Policy']")
      .getAttribute("content");
    expect(policy).toContain("connect-src 'none'");
    expect(policy).not.toMatch(/unsafe/);
  });

  test("nothing is stored", async () => {
    await box("Read").fill("s3://polaris-quickstart/warehouse/private");
    const stored = await page.evaluate(() => [
      localStorage.length,
      sessionStorage.length,
      document.cookie,
    ]);
    expect(stored).toEqual([0, 0, ""]);
  });
});

describe("for everybody", () => {
  const looks = [
    { name: "desktop", colorScheme: "light", width: 1280 },
    { name: "dark phone", colorScheme: "dark", width: 390 },
  ] as const;
  test.each(looks)(
    "$name: axe finds nothing, nothing overflows",
    async ({ name, colorScheme, width }) => {
      await page.close();
      // Its own script is what the page's policy would refuse.
      const looking = await browser.newContext({
        colorScheme,
        viewport: { width, height: 844 },
        bypassCSP: true,
      });
      page = await opened(looking);
      await page.addScriptTag({ path: axe });
      const check = async (where: string) => {
        const violations = await page.evaluate(
          "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes[0].html.slice(0, 200)))",
        );
        expect(violations, `${name}, ${where}`).toEqual([]);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth);
        expect(overflow, where).toBeLessThanOrEqual(width);
        const folder = process.env["SCREENSHOTS"];
        if (folder !== undefined)
          await page.screenshot({ path: `${folder}/${name} ${where}.png`, fullPage: true });
      };
      await check("build");
      await page.getByText("Edit as a form").click();
      await page.getByText("Audit the role as it is").click();
      await box("Policies of the role as it is").fill(NARROW_ROLE);
      await page.getByRole("heading", { name: "Missing" }).waitFor();
      await box("Read").fill("nonsense");
      await check("errors");
      await box("Read").fill("s3://polaris-quickstart/warehouse/a");
      await tab("Diagnose").click();
      await box("Log").fill(GUIDE);
      await page.getByRole("button", { name: "Apply" }).first().waitFor();
      await check("diagnose");
      await page.getByRole("button", { name: "Apply" }).first().click();
      await check("applied");
      await tab("Compare").click();
      await page.getByText(/^Narrower|^Broader|^Neither|^Equal/).waitFor();
      await check("compare");
      await looking.close();
    },
  );

  test("arrows move between the tabs", async () => {
    await tab("Build").focus();
    await page.keyboard.press("ArrowRight");
    expect(await tab("Diagnose").getAttribute("aria-selected")).toBe("true");
    expect(await page.evaluate(() => document.activeElement?.textContent?.trim())).toBe("Diagnose");
  });

  test("all scripts together have less than 200 kB, gzipped", () => {
    const folder = fileURLToPath(new URL("assets/playground/", `file://${SITE}`));
    const scripts = readdirSync(folder).filter((file) => file.endsWith(".js"));
    const sizes = scripts.map((file) => gzipSync(readFileSync(`${folder}${file}`)).length);
    expect(scripts.length).toBeGreaterThan(2);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(200_000);
  });
});
