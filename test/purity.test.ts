/** src/ is pure: what it is made of is read from its syntax trees, and so cannot be forgotten. */
import { readdirSync, readFileSync } from "node:fs";
import ts from "typescript";
import { describe, expect, test } from "vitest";

const SRC = new URL("../src/", import.meta.url);
/** The command line reads files and prints; nothing imports it, and it imports the package by name. */
const files = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.startsWith("cli/"))
  .sort();

/** What of the outside may be imported where. */
function mayImport(file: string, specifier: string): boolean {
  if (specifier.includes("/cli/")) return false;
  if (specifier.startsWith("./") || specifier.startsWith("../")) return true;
  if (specifier === "fast-check") return file.startsWith("testing");
  if (specifier === "vitest") return file === "testing/vitest.ts";
  return ["zod/mini", "@aws-sdk/util-arn-parser"].includes(specifier);
}

const FORBIDDEN = new Set([
  "process",
  "Date",
  "console",
  "fetch",
  "globalThis",
  "window",
  "require",
  "eval",
  "Function",
  "setTimeout",
  "setInterval",
  "queueMicrotask",
  "performance",
  "crypto",
  "localStorage",
  "Buffer",
]);

/** Two entries extend `expect`, and package.json lists them in sideEffects. */
function isExtension(file: string, statement: ts.ExpressionStatement): boolean {
  const extend = "expect.extend(policyMatchers);";
  return /^testing\/(vitest|jest)\.ts$/.test(file) && statement.getText() === extend;
}

/** The faults of a file, so that the check can be seen to fail. */
function faultsOf(file: string, text: string): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true);
  const faults: string[] = [];
  for (const statement of source.statements) {
    if (ts.isExpressionStatement(statement) && !isExtension(file, statement)) {
      faults.push("does something on import");
    }
    if (!ts.isVariableStatement(statement)) continue;
    if (!(statement.declarationList.flags & ts.NodeFlags.Const)) faults.push("module-level let");
    for (const { name, type, initializer } of statement.declarationList.declarations) {
      const holds =
        initializer &&
        (ts.isArrayLiteralExpression(initializer) ||
          ts.isObjectLiteralExpression(initializer) ||
          ts.isNewExpression(initializer));
      if (holds && !/readonly/i.test(type?.getText() ?? "")) {
        faults.push(`module-level ${name.getText()} may be changed`);
      }
    }
  }
  const visit = (node: ts.Node): void => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier) {
      const specifier = (node.moduleSpecifier as ts.StringLiteral).text;
      const isType =
        ts.isImportDeclaration(node) &&
        node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
      if (!isType && !mayImport(file, specifier)) faults.push(`imports ${specifier}`);
    }
    if (node.kind === ts.SyntaxKind.ImportKeyword && ts.isCallExpression(node.parent)) {
      faults.push("imports at run time");
    }
    const isMember = ts.isPropertyAccessExpression(node.parent) && node.parent.name === node;
    const isKey =
      (ts.isPropertyAssignment(node.parent) || ts.isPropertySignature(node.parent)) &&
      node.parent.name === node;
    if (ts.isIdentifier(node) && FORBIDDEN.has(node.text) && !isMember && !isKey) {
      faults.push(`uses ${node.text}`);
    }
    if (ts.isPropertyAccessExpression(node) && node.getText() === "Math.random") {
      faults.push("uses Math.random");
    }
    node.forEachChild(visit);
  };
  source.forEachChild(visit);
  return faults;
}

describe("src/ is pure", () => {
  test.each(files)("%s", (file) => {
    expect(faultsOf(file, readFileSync(new URL(file, SRC), "utf8"))).toEqual([]);
  });

  test.each([
    ['import { readFileSync } from "node:fs";', "imports node:fs"],
    ['import fc from "fast-check";', "imports fast-check"],
    ['import { main } from "./cli/main.ts";', "imports ./cli/main.ts"],
    ['export const f = () => import("zod");', "imports at run time"],
    ["let calls = 0;", "module-level let"],
    ["const cache = new Map<string, string>();", "module-level cache may be changed"],
    ["const seen: string[] = [];", "module-level seen may be changed"],
    ['console.log("loaded");', "does something on import"],
    ["export const now = () => Date.now();", "uses Date"],
    ["export const id = () => Math.random();", "uses Math.random"],
    ["export const env = () => process.env;", "uses process"],
  ])("would see %s", (text, fault) => {
    expect(faultsOf("index.ts", text)).toContain(fault);
  });
});
