/** What engines need, in a folder that git ignores: a venv from PyPI, jars from Maven Central. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { has, installPackages, mayInstall } from "../support/machine.ts";

export const HERE = fileURLToPath(new URL(".", import.meta.url));
const CACHE = `${HERE}.cache/`;

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: ["ignore", "ignore", "inherit"] });
}

/** Prepares a folder of the cache once for each version of the file that pins what is in it. */
function prepared(name: string, pinned: string, prepare: (dir: string) => void): string {
  const digest = createHash("sha256").update(readFileSync(pinned)).digest("hex").slice(0, 16);
  const dir = `${CACHE}${name}-${digest}/`;
  if (existsSync(`${dir}done`)) return dir;
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  prepare(dir);
  writeFileSync(`${dir}done`, "");
  return dir;
}

/** Returns the path of a Python that has the pinned packages. */
export function python(): string {
  const requirements = `${HERE}python/requirements.txt`;
  const dir = prepared("python", requirements, (dir) => {
    if (!has("python3")) {
      if (!mayInstall()) throw new Error("The Python engines need python3 and its venv module.");
      installPackages(["python3", "python3-venv"]);
    }
    run("python3", "-m", "venv", `${dir}venv`);
    run(`${dir}venv/bin/pip`, "install", "--quiet", "-r", requirements);
  });
  return `${dir}venv/bin/python`;
}

/** Returns what starts the program against Iceberg's Java API: jars from Maven Central, compiled here. */
export function java(): string[] {
  const pom = `${HERE}java/pom.xml`;
  const jars = prepared("java", pom, (dir) => {
    if (!["javac", "mvn"].every(has)) {
      if (!mayInstall()) throw new Error("The Java API needs a JDK from 17 on, and Maven.");
      installPackages(["openjdk-17-jdk-headless", "maven"]);
    }
    const goal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
    run("mvn", "-q", "-B", "-f", pom, goal, "-DincludeScope=runtime", `-DoutputDirectory=${dir}`);
  });
  const source = `${HERE}java/JavaApi.java`;
  const classes = prepared("classes", source, (dir) => {
    run("javac", "-nowarn", "-d", dir, "-cp", `${jars}*`, source);
  });
  const options = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
  return ["java", ...options, "-cp", `${classes}:${jars}*`, "JavaApi"];
}
