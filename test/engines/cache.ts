/** What engines need, in a folder that git ignores: a venv from PyPI, jars from Maven Central. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { has, installPackages, mayInstall } from "../support/machine.ts";
import { prepared } from "../support/prepared.js";

export const HERE = fileURLToPath(new URL(".", import.meta.url));
const CACHE = `${HERE}.cache/`;

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: ["ignore", "ignore", "inherit"] });
}

/** Returns the path of a Python that has the pinned packages. */
export function python(): string {
  const requirements = `${HERE}python/requirements.txt`;
  const dir = prepared(`${CACHE}python`, [requirements], (dir) => {
    if (!has("python3")) {
      if (!mayInstall()) throw new Error("The Python engines need python3 and its venv module.");
      installPackages(["python3", "python3-venv"]);
    }
    run("python3", "-m", "venv", `${dir}venv`);
    run(`${dir}venv/bin/pip`, "install", "--quiet", "-r", requirements);
  });
  return `${dir}venv/bin/python`;
}

/** Where Debian and Ubuntu keep their JDKs. */
const JDKS = "/usr/lib/jvm/";

/** The folders of JDKs to try: none for that of the path, then that of JAVA_HOME, then Debian's. */
function jdks(): string[] {
  const home = process.env["JAVA_HOME"];
  const installed = existsSync(JDKS) ? readdirSync(JDKS).map((name) => `${JDKS}${name}/bin/`) : [];
  return ["", ...(home === undefined ? [] : [`${home}/bin/`]), ...installed];
}

/** The folder of a JDK of a release or a later one, with a slash at its end; undefined for none. */
function jdkFrom(release: number): string | undefined {
  return jdks().find((bin) => {
    if (!["java", "javac"].every((command) => has(bin + command))) return false;
    const said = String(execFileSync(`${bin}javac`, ["-version"]));
    return Number(/^javac (\d+)/.exec(said)?.[1]) >= release;
  });
}

/** Installs a JDK and Maven where that is possible. Returns what is lacking, if anything is. */
export function lacksJava(release = 17): string | undefined {
  const isThere = () => jdkFrom(release) !== undefined && has("mvn");
  if (!isThere() && mayInstall()) {
    try {
      installPackages([`openjdk-${release}-jdk-headless`, "maven"]);
    } catch {
      // What is still lacking is told below.
    }
  }
  return isThere() ? undefined : `it needs a JDK from ${release} on, and Maven`;
}

/** Returns what starts a Java program with the jars of a pom from Maven Central, compiled here. */
export function java(program: string, pomFile: string, release = 17): string[] {
  const pom = `${HERE}java/${pomFile}`;
  const bin = jdkFrom(release) ?? "";
  const jars = prepared(`${CACHE}${pomFile.replace(".xml", "")}`, [pom], (dir) => {
    const goal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
    run("mvn", "-q", "-B", "-f", pom, goal, "-DincludeScope=runtime", `-DoutputDirectory=${dir}`);
  });
  const sources = [`${HERE}java/${program}.java`, `${HERE}java/Harness.java`];
  const classes = prepared(`${CACHE}${program}`, [...sources, pom], (dir) => {
    run(`${bin}javac`, "-nowarn", "-d", dir, "-cp", `${jars}*`, ...sources);
  });
  const options = ["-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", ...OPENED];
  // Trino's engine computes with vectors.
  if (release >= 25) options.push("--add-modules=jdk.incubator.vector");
  return [`${bin}java`, ...options, "-cp", `${classes}:${jars}*`, program];
}

/**
 * What Spark opens of Java's modules.
 * https://github.com/apache/spark/blob/v4.1.3/launcher/src/main/java/org/apache/spark/launcher/JavaModuleOptions.java
 */
const OPENED = [
  "java.lang",
  "java.lang.invoke",
  "java.lang.reflect",
  "java.io",
  "java.net",
  "java.nio",
  "java.util",
  "java.util.concurrent",
  "java.util.concurrent.atomic",
  "sun.nio.ch",
  "sun.nio.cs",
  "sun.security.action",
  "sun.util.calendar",
].map((opened) => `--add-opens=java.base/${opened}=ALL-UNNAMED`);
